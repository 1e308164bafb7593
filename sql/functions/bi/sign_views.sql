-- Records in the comment of the schema bi which files its views were made from: their digest in hex.
create or replace function sign_views(digest text)
returns void
language plpgsql volatile
as $$
begin
    execute format(
        'comment on schema bi is %L',
        'Views of hourledger for other tools, documented in docs/bi.md. Made of sha256:' || digest
    );
end
$$;
