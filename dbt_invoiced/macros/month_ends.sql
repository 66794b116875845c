{#
    Selects the days that balances are shown for: the last day of every month, from the month before
    the first movement on and at most `invoiced_months` before today, and today.

    Args:
        first_day: A query for the day of the first movement.
#}
{% macro month_ends(first_day) %}
    select
        as_of_date,
        cast(date_trunc('month', as_of_date) as date) as month,
        as_of_date = {{ as_of() }} as is_today
    from (
        select least(
            {{ as_of() }},
            cast(month_start + interval '1 month' - interval '1 day' as date)
        ) as as_of_date
        from (
            {{ dbt_invoiced.months_between(
                "greatest(date_trunc('month', cast((" ~ first_day ~ ") as timestamp)) "
                ~ "- interval '1 month', "
                ~ "date_trunc('month', cast(" ~ as_of() ~ " as timestamp)) - interval '"
                ~ var('invoiced_months') ~ " months')",
                "date_trunc('month', cast(" ~ as_of() ~ " as timestamp))"
            ) }}
        ) as months
    ) as month_ends
{% endmacro %}

{# Selects the first instant of every month from `first` to `last`, as `month_start`. #}
{% macro months_between(first, last) -%}
    {{ return(adapter.dispatch('months_between', 'dbt_invoiced')(first, last)) }}
{%- endmacro %}

{% macro default__months_between(first, last) -%}
    select generate_series({{ first }}, {{ last }}, interval '1 month') as month_start
{%- endmacro %}

{% macro duckdb__months_between(first, last) -%}
    select unnest(generate_series({{ first }}, {{ last }}, interval '1 month')) as month_start
{%- endmacro %}
