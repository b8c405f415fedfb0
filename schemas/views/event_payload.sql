-- event_payload(raw, content_type): the body of an event as jsonb, as the hub itself reads it.
-- Forms are decoded: to the JSON in their field `payload`, else to an object of their fields. What
-- jsonb refuses is replaced by U+FFFD (the escape for NUL, halves of surrogate pairs). A body that
-- jsonb cannot hold at all (not UTF-8, a number past its range, too deep), or could not show in a
-- reasonable length (1e131071 again and again), gives null, never an error, so that one odd event does
-- not take a query over all of them down.
-- Secrets are masked, as on streams: event_masked. The bytes themselves are events.raw.

-- Text of a form: `+` is a blank, %XX a byte of UTF-8; a NUL, which text cannot hold, becomes U+FFFD.
create or replace function event_form_text(encoded text) returns text
language sql immutable strict as $$
  select coalesce(convert_from(string_agg(
    case when part[1] ~ '^(%[0-9a-fA-F]{2})+$'
      then decode(replace(replace(part[1], '%00', '%EFBFBD'), '%', ''), 'hex')
      else convert_to(part[1], 'UTF8')
    end, '' order by place), 'UTF8'), '')
  from regexp_matches(replace(encoded, '+', ' '), '(?:%[0-9a-fA-F]{2})+|[^%]+|%', 'g') with ordinality as m (part, place)
$$;

-- The fields of a form body in their order, decoded.
create or replace function event_form_fields(raw bytea) returns table (place bigint, name text, value text)
language sql immutable strict as $$
  select f.place, event_form_text(split_part(f.field, '=', 1)),
    event_form_text(case when strpos(f.field, '=') > 0 then substr(f.field, strpos(f.field, '=') + 1) else '' end)
  from string_to_table(convert_from(raw, 'UTF8'), '&') with ordinality as f (field, place)
  where f.field <> ''
$$;

-- A payload with [masked] in place of what looks like a secret, or is in a field named like one. The
-- patterns are those of src/core/secret-spans.ts.
create or replace function event_masked(payload jsonb) returns jsonb
language plpgsql immutable strict as $$
declare
  names constant text := '(?<=[{ ])"[^\s"\\]*(?:token|secret|passw(?:or)?d|passphrase|authorization|cookie|response_?url|trigger_?id|(?:api|private|secret|access|signing|encryption)[_-]?key)';
  -- Something out of each pattern below: without lookbehinds a payload is looked through in 0.2 ms, with them in 20.
  marks constant text := 'gh[pousr]_|github_pat_|xox[a-z]-|xapp-|xwfp-|lin_[aow]|whsec_|glpat-|npm_|dckr_pat_|k_live_|HRKU-|AIza|sb_|eyJ|A[KS]IA|PRIVATE KEY|hooks\.slack|bearer |://[^/\s]*@|(?:token|secret|passw(?:or)?d|passphrase|authorization|cookie|key|response_?url|trigger_?id)": "|(?:token|secret|signature|password|key|sig)=';
  tokens constant text := '(?:gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9]{20,}[A-Za-z0-9_]*|(?:xox[a-z]-|xapp-[0-9]|xwfp-)[A-Za-z0-9.-]{8,}|lin_(?:api|oauth|wh)_[A-Za-z0-9]{24,}|npm_[A-Za-z0-9]{36,}|[sr]k_live_[A-Za-z0-9]{20,}|whsec_[A-Za-z0-9+/=]{16,}|(?:glpat-|dckr_pat_|HRKU-|(?:(?<![A-Za-z0-9])|(?<=\\\u0001[bfnrt]))AIza)[A-Za-z0-9_-]{20,})';
  others constant text := '(?:(?<![A-Za-z0-9_-])|(?<=\\\u0001[bfnrt]))(?:sb_[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])|eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]{4,})(?:\.[A-Za-z0-9_-]*){0,3})';
  slack constant text := 'https://hooks\.slack(?:-gov)?\.com/[A-Za-z]+/[A-Za-z0-9/_-]+';
  bearer constant text := '([Bb]earer )(?=\S{8})[A-Za-z0-9._~+/-]*[0-9][A-Za-z0-9._~+/-]*=*';
  query constant text := '([?&;](?:[A-Za-z0-9_-]*(?:token|secret|signature|password|key)|sig)=)[^&\s"''<>\\#)|]+';
  userinfo constant text := '(://[^\s/:@"''<>\\]*:)[^\s/@"''<>\\]+(?=@)';
  armour constant text := '-----BEGIN [A-Z ]*?PRIVATE KEY(?: BLOCK)?-----(?:[^"\\]|\\.)*?(?:-----END [A-Z ]*?PRIVATE KEY(?: BLOCK)?-----|(?="))';
  key_id constant text := '(?<![A-Z0-9])A[KS]IA[A-Z0-9]{16}(?![A-Z0-9])';
  aws constant text := '(?<![A-Za-z0-9+/=])(?=[A-Za-z0-9+/]{0,39}[g-zG-Z+/])[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/=])';
  body text := payload::text;
begin
  -- Nothing but numbers grows so (1e131071 is written out): 6 KB of them took a minute. An escape is six letters for one.
  if octet_length(body) > 8 * pg_column_size(payload) + 1024 then
    return null;
  end if;
  if body !~* marks then
    return payload;
  end if;
  -- A character that JSON text cannot hold ends each escape, so that no pattern begins within one.
  body := regexp_replace(body, '\\(?:u[0-9a-f]{4}|.)', '\&' || U&'\0001', 'g');
  body := regexp_replace(body, '(' || names || '": ")(?:[^"\\]|\\.)+"', '\1[masked]"', 'gi');
  body := regexp_replace(body, armour, '[masked]', 'g');
  body := regexp_replace(body, tokens, '[masked]', 'g');
  body := regexp_replace(body, others, '[masked]', 'g');
  body := regexp_replace(body, slack, '[masked]', 'g');
  body := regexp_replace(body, bearer, '\1[masked]', 'g');
  body := regexp_replace(body, query, '\1[masked]', 'gi');
  body := regexp_replace(body, userinfo, '\1[masked]', 'g');
  if body ~ key_id then
    body := regexp_replace(regexp_replace(body, key_id, '[masked]', 'g'), aws, '[masked]', 'g');
  end if;
  return replace(body, U&'\0001', '')::jsonb;
end $$;

create or replace function event_payload(raw bytea, content_type text) returns jsonb
language plpgsql immutable strict as $$
declare
  high constant text := '\\u[dD][89abAB][0-9a-fA-F]{2}';
  low constant text := '\\u[dD][c-fC-F][0-9a-fA-F]{2}';
  body text;
  fields jsonb;
begin
  if lower(trim(split_part(content_type, ';', 1))) = 'application/x-www-form-urlencoded' then
    select jsonb_object_agg(name, value order by place), (array_agg(value order by place) filter (where name = 'payload'))[1]
    into fields, body
    from event_form_fields(raw);
    if body is null then
      return event_masked(coalesce(fields, '{}'));
    end if;
  else
    body := convert_from(raw, 'UTF8');
  end if;

  if body ~ '\\u(0000|[dD][89a-fA-F])' then
    -- Escaped backslashes step aside, behind a character that JSON text cannot hold: each backslash
    -- left then begins an escape.
    body := replace(body, '\\', U&'\0001');
    body := replace(body, '\u0000', '\ufffd');
    body := regexp_replace(body, high || '(?!' || low || ')', '\\ufffd', 'g');
    body := regexp_replace(body, '(?<!' || high || ')' || low, '\\ufffd', 'g');
    body := replace(body, U&'\0001', '\\');
  end if;
  return event_masked(body::jsonb);
exception when others then
  return null;
end $$;
