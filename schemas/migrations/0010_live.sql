-- What is live where: how branches grew, what was merged as which commit, and what was deployed. Every row
-- stems from one event alone. Not partitioned, and kept beyond the events: what went live long ago still is.

-- What each push did to its ref. A line is a ref of a repository: acme/api@refs/heads/main.
create table pushes (
  event_id uuid primary key,
  tenant text not null,
  line text not null,
  at timestamptz not null,
  before_sha text, -- null where the ref was made
  after_sha text, -- null where it was deleted
  forced boolean not null, -- before_sha is no longer part of it
  commits integer not null, -- so many commits were listed
  known_from timestamptz not null -- when it came, by our clock
);
create index pushes_line on pushes (tenant, line, at);
-- Where a line does not simply go on from what it was.
create index pushes_breaks on pushes (tenant, line, at) where forced or before_sha is null or after_sha is null;

-- Where each commit stands on a line; the head of a push is there even where the list is cut short.
create table pushed_commits (
  event_id uuid not null,
  sha text collate "C" not null check (octet_length(sha) <= 64),
  tenant text not null,
  line text not null,
  at timestamptz not null,
  ordinal integer not null, -- place within the push, oldest first
  before_sha text,
  after_sha text not null,
  likeness text, -- the same for commits of one author with one message and the same files
  known_from timestamptz not null,
  primary key (event_id, sha)
);
create index pushed_commits_sha on pushed_commits (tenant, sha);
create index pushed_commits_likeness on pushed_commits (tenant, likeness) where likeness is not null;

create table merged_pull_requests (
  event_id uuid primary key,
  tenant text not null,
  pull_request text not null check (octet_length(pull_request) <= 1024),
  sha text not null,
  merged_at timestamptz not null,
  head_sha text, -- last commit of its own branch
  head_line text, -- its own branch; null where that is gone with its repository
  base_line text, -- the branch it was merged into
  known_from timestamptz not null
);
create index merged_pull_requests_key on merged_pull_requests (tenant, pull_request);
create index merged_pull_requests_sha on merged_pull_requests (tenant, sha);
create index merged_pull_requests_head on merged_pull_requests (tenant, head_line, merged_at);
create index merged_pull_requests_base on merged_pull_requests (tenant, base_line, merged_at);

-- Every state of every deployment. A track is the history of one environment of one service: (service,
-- environment, branch), where branch is '' but for previews, of which each branch has its own.
create table deployment_states (
  event_id uuid primary key,
  tenant text not null,
  deployment text not null check (octet_length(deployment) <= 1024), -- entity key
  service text not null, -- project, else repository
  environment text not null, -- in lower case, production for prod
  branch text not null,
  kind text not null, -- production, staging, preview, …
  status text not null,
  at timestamptz not null, -- by the sender's clock
  sha text,
  repository text,
  ref text,
  url text,
  known_from timestamptz not null
);
create index deployment_states_track on deployment_states (tenant, service, environment, branch, at);
create index deployment_states_deployment on deployment_states (tenant, deployment);
create index deployment_states_repository on deployment_states (tenant, repository);
create index deployment_states_sha on deployment_states (tenant, sha);

grant select, insert, update, delete on pushes, pushed_commits, merged_pull_requests, deployment_states
  to signalbox_worker;
do $$
declare
  name text;
begin
  foreach name in array array['pushes', 'pushed_commits', 'merged_pull_requests', 'deployment_states'] loop
    execute format('alter table %I enable row level security', name);
    execute format('create policy worker on %I to signalbox_worker using (true) with check (true)', name);
    execute format('create policy tenant on %I for select to signalbox_reader using (tenant = (select current_setting(''signalbox.tenant'', true)))', name);
    execute format('grant select on %I to signalbox_reader', name);
  end loop;
end $$;

insert into schema_migrations (name) values ('0010_live.sql');
