-- Alerts: rules of people about their sites, the state of each, and the messages that are to reach them.

create table alert_rules (
    rule integer generated always as identity,
    site integer not null references sites (site),
    name text collate "C" not null
        constraint "no two rules have one name" unique
        constraint "the name of a rule can be typed" check (name ~ '^[a-z0-9][a-z0-9._-]{0,63}$'),
    condition text not null,
    targets text[] not null
        constraint "a rule reaches somebody, and few" check (cardinality(targets) between 1 and 8),
    secret text not null,
    created_at timestamptz not null default clock_timestamp(),
    looked_at timestamptz,
    firing boolean not null default false,
    changed_at timestamptz,
    found text,
    reported_for date,
    primary key (rule)
);
comment on table alert_rules is 'When people want to be told, and whether that is so now.';
comment on column alert_rules.rule is 'The number of the rule.';
comment on column alert_rules.site is 'The site that it is about.';
comment on column alert_rules.name is 'What people call it.';
comment on column alert_rules.condition is 'When to tell, as service/alerts/conditions.py reads it.';
comment on column alert_rules.targets is 'Whom to tell: mailto:, http:, https: or apprise: and an address. They may hold secrets.';
comment on column alert_rules.secret is 'The secret that signs what webhooks get.';
comment on column alert_rules.created_at is 'When it was added, by the database''s clock.';
comment on column alert_rules.looked_at is 'When a worker took it last to look, by the clock of that worker. Null: never.';
comment on column alert_rules.firing is 'Whether the condition held at the last look that could tell.';
comment on column alert_rules.changed_at is 'Since when that is so, by the clock of the worker that found it. Null: never changed.';
comment on column alert_rules.found is 'What that look found. Null: never changed.';
comment on column alert_rules.reported_for is 'The Monday of the newest weekly report. Null: none yet, or no rule of that kind.';

create trigger alert_rules_raise_the_version
after insert or delete or update of site, name, condition, targets, secret on alert_rules
for each statement execute function raise_access_version();

create table alert_deliveries (
    delivery bigint generated always as identity,
    rule integer not null references alert_rules (rule) on delete cascade,
    target text not null,
    message jsonb not null,
    created_at timestamptz not null,
    attempts integer not null default 0
        constraint "attempts are counted" check (attempts >= 0),
    next_at timestamptz not null,
    sent_at timestamptz,
    gave_up_at timestamptz
        constraint "a message is sent or given up" check (sent_at is null or gave_up_at is null),
    why text,
    primary key (delivery)
);
comment on table alert_deliveries is 'Messages of rules, one for each target, for 30 days.';
comment on column alert_deliveries.delivery is 'The number of the message. Receivers know a repeated one by it.';
comment on column alert_deliveries.rule is 'The rule that it is of.';
comment on column alert_deliveries.target is 'Whom it is for, as in alert_rules.';
comment on column alert_deliveries.message is 'What it says: subject, text, HTML, and the fields of webhooks.';
comment on column alert_deliveries.created_at is 'When it was made, by the clock of the worker that made it.';
comment on column alert_deliveries.attempts is 'How often a worker took it to send it.';
comment on column alert_deliveries.next_at is 'When it may be taken again.';
comment on column alert_deliveries.sent_at is 'When the target had taken it. Null: not yet.';
comment on column alert_deliveries.gave_up_at is 'When it was given up. Null: it was not.';
comment on column alert_deliveries.why is 'Why the last attempt failed. Null: none did.';

create index alert_deliveries_waiting on alert_deliveries (next_at) where sent_at is null and gave_up_at is null;
create index alert_deliveries_of_rule on alert_deliveries (rule, target, delivery);

create table worker_reasons (
    worker uuid not null,
    told_at timestamptz not null,
    events text[] not null,
    disk text[] not null,
    primary key (worker)
);
comment on table worker_reasons is 'What workers find wrong with themselves, where all of them see it. It is for two minutes.';
comment on column worker_reasons.worker is 'The worker, by a number of its own since it started.';
comment on column worker_reasons.told_at is 'When it said so last, by its clock.';
comment on column worker_reasons.events is 'What is wrong with taking events, the disk included, one sentence each.';
comment on column worker_reasons.disk is 'What is wrong with the disk, one sentence each.';
