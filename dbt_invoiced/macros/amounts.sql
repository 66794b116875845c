{# A sum of money; 0 if there are no rows. #}
{% macro total(amount, condition=none) -%}
    cast(coalesce(sum(
        {%- if condition %}case when {{ condition }} then {{ amount }} end
        {%- else %}{{ amount }}{% endif -%}
    ), 0) as decimal(38, 10))
{%- endmacro %}

{#
    A quotient with two decimals; NULL if the divisor is 0. It is computed with floating-point
    numbers, because products of amounts do not fit into a decimal.
#}
{% macro ratio(numerator, denominator, factor=1) -%}
    cast(
        round(
            cast(
                cast({{ numerator }} as double precision) * {{ factor }}
                / nullif(cast({{ denominator }} as double precision), 0)
            as decimal(28, 10)),
        2)
    as decimal(18, 2))
{%- endmacro %}
