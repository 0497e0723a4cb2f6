-- Grain: one window, scope, node of the organisation, way of joining and way of leaving.

-- Pairs that are alike are told as one, so that few rows are told: hence what rose and what fell is kept apart.
with alike as (

    select
        window_no,
        node_no,
        other_node_no,
        status,
        was_open,
        is_new,
        was_due,
        is_due,
        has_passed,
        sign(coalesce(handed_cents, end_cents) - start_cents) as change_sign,
        sign(end_cents - handed_cents) as change_sign_since,
        sum(start_cents) as start_cents,
        sum(handed_cents) as handed_cents,
        sum(end_cents) as end_cents,
        count(*) as deals
    from {{ ref('int_pipeline_pairs') }}
    group by
        window_no, node_no, other_node_no, status, was_open, is_new, was_due, is_due, has_passed,
        sign(coalesce(handed_cents, end_cents) - start_cents), sign(end_cents - handed_cents)

),

moves as (

    {{ pipeline_moves('alike', ['deals']) }}

),

ancestors as (

    select
        node_no,
        ancestor_node_no
    from {{ ref('int_node_ancestors') }}

),

own as (

    select
        window_no,
        scope,
        node_no,
        other_node_no,
        joined_by,
        left_by,
        sum(start_cents) as start_cents,
        sum(case when is_start then deals else 0 end) as start_deals,
        sum(joined_cents) as joined_cents,
        sum(case when change_cents > 0 then change_cents else 0 end) as increase_cents,
        sum(case when change_cents > 0 then deals else 0 end) as increase_deals,
        sum(case when change_cents < 0 then -change_cents else 0 end) as decrease_cents,
        sum(case when change_cents < 0 then deals else 0 end) as decrease_deals,
        sum(left_cents) as left_cents,
        sum(end_cents) as end_cents,
        sum(case when is_end then deals else 0 end) as end_deals,
        sum(deals) as deals
    from moves
    group by window_no, scope, node_no, other_node_no, joined_by, left_by

),

-- A node that holds both owners neither gave nor took: there the two sides of the transfer are one deal that stayed.
upward as (

    select
        own.*,
        ancestors.ancestor_node_no,
        others.node_no is not null as is_within
    from own
    inner join ancestors on own.node_no = ancestors.node_no
    left join ancestors as others
        on own.other_node_no = others.node_no and ancestors.ancestor_node_no = others.ancestor_node_no

),

final as (

    select
        window_no,
        scope,
        ancestor_node_no as node_no,
        case when not is_within or joined_by <> 'transferred_in' then joined_by end as joined_by,
        case when not is_within or left_by <> 'transferred_out' then left_by end as left_by,
        {{ sum_each(['start_cents', 'start_deals', 'joined_cents', 'increase_cents', 'increase_deals',
                     'decrease_cents', 'decrease_deals', 'left_cents', 'end_cents', 'end_deals', 'deals']) }}
    from upward
    group by
        window_no,
        scope,
        ancestor_node_no,
        case when not is_within or joined_by <> 'transferred_in' then joined_by end,
        case when not is_within or left_by <> 'transferred_out' then left_by end

)

select * from final
