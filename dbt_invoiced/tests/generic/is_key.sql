{#
    Fails for every row that some columns do not identify: a value is missing, or another row has the
    same values.

    Args:
        columns: The columns.
        optional: Columns among them that may be NULL, which then counts as a value.
#}
{% test is_key(model, columns, optional=[]) %}
    select {{ columns | join(", ") }}, count(*) as occurrences
    from {{ model }}
    group by {{ columns | join(", ") }}
    having count(*) > 1
    {%- for column in columns if column not in optional %}
        or {{ column }} is null
    {%- endfor %}
{% endtest %}
