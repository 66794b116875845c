{#
    The history that invoiced_pipeline keeps of a source with `history = true`; it need not exist.

    Args:
        relation: The source.
#}
{% macro history_of(relation) %}
    {%- do return(api.Relation.create(
        database=relation.database,
        schema=relation.schema,
        identifier=relation.identifier ~ '__history',
    )) -%}
{% endmacro %}
