-- Grain: one period of confirmation (quarter, fiscal year, all), node and cell of type, priority and stage with stays.

{{ dwell_rolled_up(
    ref('int_requirement_outcomes'),
    'confirmed_on',
    dimensions=['requirement_type', 'priority', 'stage'],
    cells=[
        [], ['requirement_type'], ['priority'], ['stage'],
        ['requirement_type', 'priority'], ['requirement_type', 'stage']
    ],
    ended='dwell_days',
    lasting='days_in_stage'
) }}
