{# "Today": the last day that the models describe (UTC). #}
{% macro as_of() -%}
    {%- set day = var("invoiced_as_of", none) -%}
    {%- if day -%} cast('{{ day }}' as date) {%- else -%} {{ dbt_invoiced.current_day() }} {%- endif -%}
{%- endmacro %}

{# The day (UTC) on which the models are built. #}
{% macro current_day() -%}
    cast('{{ run_started_at.astimezone(modules.pytz.utc).date() }}' as date)
{%- endmacro %}

{#
    The day (UTC) on which a movement counts. One that is dated after today, and was recorded before,
    counts today: the balances in Invoiced include it already.

    Args:
        day: Its date.
        recorded_at: The instant at which it was recorded.
#}
{% macro counted_on(day, recorded_at) -%}
    case
        when {{ day }} > {{ as_of() }}
            and coalesce({{ day_of(recorded_at) }}, {{ as_of() }}) <= {{ as_of() }}
        then {{ as_of() }}
        else {{ day }}
    end
{%- endmacro %}

{# The day (UTC) of an instant. #}
{% macro day_of(instant) -%}
    cast({{ instant }} at time zone 'UTC' as date)
{%- endmacro %}
