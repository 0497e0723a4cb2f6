-- Grain: one period of raising (quarter, fiscal year, all), node and cell of type, stage and response.

{{ outcomes_rolled_up(
    ref('int_objections'),
    'raised_on',
    dimensions=['objection_type', 'stage', 'response'],
    cells=[
        [], ['objection_type'], ['stage'], ['response'], ['objection_type', 'stage'], ['objection_type', 'response']
    ],
    carried=['outcome', 'days_open'],
    measures={
        'objections': 'count(*)',
        'resolved': "count(case when outcome = 'resolved' then 1 end)",
        'lost': "count(case when outcome = 'lost' then 1 end)",
        'still_open': "count(case when outcome = 'open' then 1 end)",
        'open_median_days': quantile_of('days_open', 0.5),
    }
) }}
