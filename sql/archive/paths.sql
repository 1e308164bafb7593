-- The pages that visits view after a page, or before it; see Paths in service/archive/path_questions.py.
-- views: session, place, page; the places of a session are in the order of its views
-- Parameters: $page, the page to begin with; $backwards; $depth, how many pages to follow; $most, how many to name after each.
-- Rows: one per named path: pages, from $page on; visits, those that take it; ended, those that end with it
with recursive sequences as (
    select list(page order by place) as pages
    from views
    where session in (select session from views where page = $page)
    group by session
),
steps as (
    select list_filter(pages, lambda page, place: place = 1 or page <> pages[place - 1]) as pages
    from sequences
),
taken as (
    select
        case
            when $backwards then list_reverse(pages[:list_position(pages, $page)])
            else pages[list_position(pages, $page):]
        end as pages
    from steps
),
prefixes as (
    select pages[:length] as pages, count(*) as visits, count(*) filter (whole = length) as ended
    from (
        select pages, len(pages) as whole, unnest(range(1, least(len(pages), $depth + 1) + 1)) as length
        from taken
    )
    group by all
),
ranked as (
    select *, row_number() over (partition by pages[:-2] order by visits desc, pages[-1]) as place
    from prefixes
),
named as (
    select pages, visits, ended
    from ranked
    where len(pages) = 1
    union all
    select r.pages, r.visits, r.ended
    from named as n
    join ranked as r on r.pages[:-2] = n.pages
    where r.place <= $most
)
select pages, visits, ended
from named
order by len(pages), visits desc, pages;
