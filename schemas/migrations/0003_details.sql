-- One row an event of that platform, with what its users filter and join by. Filled by the worker
-- from the platform's normalize(), and derivable from events.raw at any time.

create table github_events (
  event_id uuid not null,
  tenant text not null,
  event_name text not null,
  action text,
  hook_id text,
  installation_id text,
  organization text,
  repository_id text,
  repository text,
  sender_id text,
  sender text,
  number bigint,
  ref text,
  sha text,
  state text,
  merged boolean,
  -- of the pull request that the event carries
  author_id text,
  base_ref text,
  opened_at timestamptz,
  closed_at timestamptz,
  merged_at timestamptz,
  merge_sha text, -- the commit it was merged as
  -- of a push: the earliest time that its commits bear
  first_commit_at timestamptz,
  primary key (event_id)
) partition by range (event_id);
create index github_events_repository on github_events (tenant, repository, event_name);

create table linear_events (
  event_id uuid not null,
  tenant text not null,
  action text not null,
  model text not null,
  organization_id text,
  webhook_id text,
  model_id text,
  identifier text,
  team_key text,
  state text,
  updated_from jsonb,
  primary key (event_id)
) partition by range (event_id);
create index linear_events_identifier on linear_events (tenant, identifier);

create table slack_events (
  event_id uuid not null,
  tenant text not null,
  kind text not null, -- event, command, interaction
  event_type text not null,
  subtype text,
  team_id text,
  channel_id text,
  user_id text,
  ts text,
  thread_ts text,
  text text,
  primary key (event_id)
) partition by range (event_id);
create index slack_events_channel on slack_events (tenant, team_id, channel_id, ts);

create table deployment_events (
  event_id uuid not null,
  tenant text not null,
  deployment_id text not null,
  provider text not null,
  project text,
  repository text,
  sha text,
  ref text,
  environment text,
  environment_kind text,
  status text not null,
  attempt integer,
  previous_sha text,
  deployment_url text,
  log_url text,
  primary key (event_id)
) partition by range (event_id);
create index deployment_events_sha on deployment_events (tenant, sha);
create index deployment_events_environment on deployment_events (tenant, project, environment);

insert into schema_migrations (name) values ('0003_details.sql');
