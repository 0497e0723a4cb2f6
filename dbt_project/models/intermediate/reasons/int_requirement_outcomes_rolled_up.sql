-- Grain: one period of confirmation (quarter, fiscal year, all), node and cell of type, priority and stage.

{{ outcomes_rolled_up(
    ref('int_requirement_outcomes'),
    'confirmed_on',
    dimensions=['requirement_type', 'priority', 'stage'],
    cells=[
        [], ['requirement_type'], ['priority'], ['stage'],
        ['requirement_type', 'priority'], ['requirement_type', 'stage']
    ],
    carried=['confirmed_on', 'days_to_win'],
    measures={
        'requirements': 'count(*)',
        'confirmed': 'count(confirmed_on)',
        'win_median_days': quantile_of('days_to_win', 0.5),
        'n_win': 'count(days_to_win)',
    }
) }}
