-- event_payload(raw, content_type): the body of an event as jsonb, as the hub itself reads it.
-- Forms are decoded: to the JSON in their field `payload`, else to an object of their fields. What
-- jsonb refuses is replaced by U+FFFD (the escape for NUL, halves of surrogate pairs). A body that
-- jsonb cannot hold at all (not UTF-8, a number past its range, too deep) gives null, never an error,
-- so that one odd event does not take a query over all of them down.

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
      return coalesce(fields, '{}');
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
  return body::jsonb;
exception when others then
  return null;
end $$;
