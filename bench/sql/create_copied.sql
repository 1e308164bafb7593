-- Creates the table that COPY fills, with the columns, indexes, partitions and triggers that the log has now.
-- Rows: none.
do $$
declare
    partition record;
    definition text;
begin
    execute format(
        'create table bench_copied (like events including all) partition by %s', pg_get_partkeydef('events'::regclass)
    );
    for partition in
        select c.relname as name, pg_get_expr(c.relpartbound, c.oid) as bounds
        from pg_inherits as i
        join pg_class as c on c.oid = i.inhrelid
        where i.inhparent = 'events'::regclass
    loop
        execute format('create table %I (like %I including all)', 'bench_' || partition.name, partition.name);
        execute format('alter table bench_copied attach partition %I %s', 'bench_' || partition.name, partition.bounds);
    end loop;
    for definition in
        select pg_get_triggerdef(t.oid) from pg_trigger as t where t.tgrelid = 'events'::regclass and not t.tgisinternal
    loop
        execute replace(definition, ' ON public.events ', ' ON public.bench_copied ');
    end loop;
end
$$
