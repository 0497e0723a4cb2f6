-- Grain: one period of raising (quarter, fiscal year, all), node and cell of type, stage and response with dated ones.

{{ dwell_rolled_up(
    ref('int_objections'),
    'raised_on',
    dimensions=['objection_type', 'stage', 'response'],
    cells=[
        [], ['objection_type'], ['stage'], ['response'], ['objection_type', 'stage'], ['objection_type', 'response']
    ],
    ended='days_to_settle',
    lasting='days_open'
) }}
