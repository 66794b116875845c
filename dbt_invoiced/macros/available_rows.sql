{#
    Selects columns of a source. A table that the account does not have, or that a connection leaves
    out, has no rows; a missing column is NULL.

    Args:
        relation: The source.
        columns: Type of every column, by name.
#}
{% macro available_rows(relation, columns) %}
    {%- set found = none -%}
    {%- if execute -%}
        {%- set found = adapter.get_relation(
            database=relation.database, schema=relation.schema, identifier=relation.identifier
        ) -%}
    {%- endif -%}
    {%- set names = [] -%}
    {%- if found is not none -%}
        {%- for column in adapter.get_columns_in_relation(found) -%}
            {%- do names.append(column.name | lower) -%}
        {%- endfor -%}
    {%- endif -%}
    select
    {%- for name, type in columns.items() %}
        {% if name in names -%} "{{ name }}" {%- else -%} cast(null as {{ type }}) as "{{ name }}"
        {%- endif -%}
        {{ "," if not loop.last }}
    {%- endfor %}
    {%- if found is not none %}
    from {{ relation }}
    {%- else %}
    where 1 = 0
    {%- endif %}
{% endmacro %}
