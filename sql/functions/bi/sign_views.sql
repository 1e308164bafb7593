-- Writes the digest of the views' texts, in hex, into the comment of the schema bi.
create or replace function sign_views(digest text)
returns void
language plpgsql volatile
as $$
begin
    execute format(
        'comment on schema bi is %L',
        'Views of hourledger for other tools, documented in docs/insights.md. Made of sha256:' || digest
    );
end
$$;
