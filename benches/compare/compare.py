#!/usr/bin/env python3
"""The same work in retrohunt, DuckDB, Polars and a plain DataFusion listing, and the ratios.

    cargo build --release
    python3 benches/compare/compare.py [--events 1000000] [--days 60] [--rounds 5] [--cold]

Logs are made by `retrohunt generate`. Each tool reads Parquet that it wrote itself (Polars and the
listing read DuckDB's). Every query is a process of its own, start-up included, one after the other
tool in each round (A B A B); quoted are medians, and the median ratio of the pairs with the range of
its middle half. Where the answers of a query are one number, it is said if they differ. The packages
come from PyPI, into a virtual environment below the workspace.
"""

import argparse
import ast
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

PACKAGES = ["duckdb==2.0.0", "polars", "datafusion", "pyarrow"]

TEXTS = (
    "Id Operation OrganizationId ResultStatus UserKey Workload UserId ClientIP ClientIPAddress ActorIpAddress ObjectId ClientAppId "
    "ApplicationId ClientInfoString LogonUserSid MailboxGuid MailboxOwnerSid MailboxOwnerUPN SessionId "
    "OriginatingServer UserAgent SiteUrl SourceFileName CorrelationId"
).split()
NUMBERS = "RecordType UserType LogonType OperationCount".split()
# 29 typed columns and the record.
COLUMNS = {name: "VARCHAR" for name in TEXTS} | {name: "BIGINT" for name in NUMBERS} | {"CreationTime": "TIMESTAMP"}

DUCK_INGEST = """
import duckdb, json, sys
logs, out, threads, more = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4] == "more"
con = duckdb.connect()
con.execute(f"SET threads={threads}; SET preserve_insertion_order=false")
columns = json.loads(sys.argv[5])
messages = ", json_extract_string(json, '$.Folders[*].FolderItems[*].InternetMessageId') AS MessageIds" if more else ""
# An address may have its port with it.
address = "coalesce(s.ClientIPAddress, s.ClientIP, s.ActorIpAddress)"
address = f", CASE WHEN {address} LIKE '[%' THEN split_part({address}[2:], ']', 1) WHEN {address} LIKE '%.%:%' THEN split_part({address}, ':', 1) ELSE {address} END AS ip"
con.execute(f\"\"\"COPY (
    SELECT s.*, raw{", MessageIds" + address if more else ""}, s.CreationTime::DATE AS day
    FROM (SELECT json_transform(json, '{json.dumps(columns)}') AS s, json::VARCHAR AS raw{messages}
          FROM read_ndjson_objects('{logs}/audit-*'))
) TO '{out}/audit' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (day))\"\"\")
if more:
    shape = json.dumps({"time": "TIMESTAMP", "resultType": "VARCHAR", "properties": {"id": "VARCHAR",
        "userPrincipalName": "VARCHAR", "ipAddress": "VARCHAR", "appId": "VARCHAR", "sessionId": "VARCHAR",
        "riskLevelDuringSignIn": "VARCHAR", "deviceDetail": {"isManaged": "BOOLEAN", "isCompliant": "BOOLEAN", "trustType": "VARCHAR"}}})
    con.execute(f\"\"\"COPY (
        SELECT s.time AS time, s.resultType AS resultType, s.properties.id AS id,
            s.properties.userPrincipalName AS userPrincipalName, s.properties.ipAddress AS ipAddress,
            s.properties.appId AS appId, s.properties.sessionId AS sessionId,
            s.properties.riskLevelDuringSignIn AS riskLevel, s.properties.deviceDetail.isManaged AS isManaged,
            s.properties.deviceDetail.isCompliant AS isCompliant, s.properties.deviceDetail.trustType AS trustType,
            raw, s.time::DATE AS day
        FROM (SELECT json_transform(json, '{shape}') AS s, json::VARCHAR AS raw FROM read_ndjson_objects('{logs}/signins-*'))
    ) TO '{out}/signins' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (day))\"\"\")
    con.execute(f\"\"\"COPY (
        SELECT (json->>'$._source."@timestamp"')::TIMESTAMP AS time, json->>'$._source.source.ip' AS ip, json::VARCHAR AS raw, time::DATE AS day
        FROM read_ndjson_objects('{logs}/network-*') WHERE json->>'$._source."kibana.alert.rule.name"' = 'External Alerts'
    ) TO '{out}/network' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (day))\"\"\")
    con.execute(f\"\"\"COPY (
        SELECT (json->>'$.properties.Timestamp')::TIMESTAMP AS time, json->>'$.properties.AccountUpn' AS AccountUpn, json::VARCHAR AS raw, time::DATE AS day
        FROM read_ndjson_objects('{logs}/evidence-*')
    ) TO '{out}/evidence' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (day))\"\"\")
"""

DUCK = """
import duckdb, sys
con = duckdb.connect()
con.execute(f"SET threads={sys.argv[2]}; SET enable_progress_bar=false")
for table in ("audit", "signins", "network", "evidence"):
    con.execute(f"CREATE VIEW {table} AS SELECT * FROM read_parquet('{sys.argv[1]}/{table}/**/*.parquet', hive_partitioning=true)")
print(con.execute(sys.argv[3]).fetchall()[:3])
"""

POLARS = """
import polars as pl, sys
tables = {table: pl.scan_parquet(f"{sys.argv[1]}/{table}/**/*.parquet", hive_partitioning=True) for table in ("audit", "signins", "network", "evidence")}
print(pl.SQLContext(tables).execute(sys.argv[3]).collect().rows()[:3])
"""

LISTING = """
import datafusion, sys
config = datafusion.SessionConfig().with_target_partitions(int(sys.argv[2]))
# Names as they are written.
config = config.set("datafusion.sql_parser.enable_ident_normalization", "false")
context = datafusion.SessionContext(config)
for table in ("audit", "signins", "network", "evidence"):
    context.register_listing_table(table, f"{sys.argv[1]}/{table}/", file_extension=".parquet", table_partition_cols=[("day", "string")])
print(context.sql(sys.argv[3]).to_pylist()[:3])
"""

# Name, retrohunt's SQL (or its arguments), DuckDB's. What other tools cannot say in the same SQL they skip.
QUERIES = [
    ("excessive_mail_items", ["hunt", "excessive_mail_items"],
     "SELECT count(*) FROM audit WHERE Operation = 'MailItemsAccessed' AND RecordType = 50 "
     "AND (OperationCount >= 100 OR raw LIKE '%\"IsThrottled\",\"Value\":\"True\"%')"),
    ("unusual_client_app", ["hunt", "unusual_client_app"],
     "SELECT count(*) FROM (SELECT ClientAppId, CreationTime, lag(CreationTime) OVER (PARTITION BY ClientAppId ORDER BY CreationTime) AS before "
     "FROM audit WHERE Operation = 'MailItemsAccessed' AND LogonType IN (0, 1, 6) AND ClientAppId <> '') "
     "WHERE before IS NULL OR CreationTime > before + INTERVAL 14 DAY"),
    # The windows of addresses that a sensor alerted on alone, as somebody would write it who knows that these are few.
    ("suspicious_source", ["hunt", "suspicious_source"],
     "SELECT count(*) FROM (SELECT tick, ip, count(DISTINCT source) AS sources, bool_or(source = 'network') AS alert, bool_or(source = 'mail') AS mail, "
     "bool_or(source = 'sign-in') AS sign_in FROM ("
     "SELECT ip, source, unnest(generate_series(date_trunc('hour', t) + INTERVAL 1 HOUR, date_trunc('hour', t) + INTERVAL 8 HOUR, INTERVAL 1 HOUR)) AS tick FROM ("
     "SELECT ip, CreationTime AS t, CASE WHEN Operation = 'MailItemsAccessed' THEN 'mail' ELSE 'audit' END AS source FROM audit "
     "UNION ALL SELECT ipAddress, time, CASE WHEN resultType = '0' THEN 'sign-in' ELSE 'failed' END FROM signins "
     "UNION ALL SELECT ip, time, 'network' FROM network) WHERE ip IN (SELECT ip FROM network)) GROUP BY tick, ip) "
     "WHERE alert AND (mail OR (sign_in AND sources > 1))"),
    # Without windows.
    ("risky_mailbox_rule", ["hunt", "risky_mailbox_rule"],
     "SELECT count(*) FROM audit WHERE Operation IN ('New-InboxRule', 'Set-InboxRule', 'Set-Mailbox', 'Set-TransportRule', 'New-TransportRule', "
     "'Enable-InboxRule') AND UserId IN (SELECT AccountUpn FROM evidence) AND EXISTS (SELECT 1 FROM signins WHERE NOT coalesce(isManaged, false) "
     "AND NOT coalesce(isCompliant, false) AND coalesce(trustType, '') = '' AND riskLevel IN ('low', 'medium', 'high') AND sessionId <> '' "
     "AND userPrincipalName IN (SELECT AccountUpn FROM evidence) AND contains(audit.raw, sessionId))"),
    ("new terms, 45 days", "SELECT count(*) AS n FROM (SELECT user.id, source.ip, unnest(new_terms(@timestamp, event.id, INTERVAL '45 days')) "
     "FROM events WHERE event.dataset = 'o365.audit' AND user.id IS NOT NULL AND source.ip IS NOT NULL GROUP BY 1, 2)",
     "SELECT count(*) AS n FROM (SELECT CreationTime, lag(CreationTime) OVER (PARTITION BY UserId, ip ORDER BY CreationTime) AS before "
     "FROM audit WHERE UserId IS NOT NULL AND ip IS NOT NULL) WHERE before IS NULL OR CreationTime > before + INTERVAL 45 DAY"),
    ("address range", "SELECT count(*) AS n FROM events WHERE cidr_match(source.ip, '45.137.0.0/16')",
     "SELECT (SELECT count(*) FROM audit WHERE ip LIKE '45.137.%') + (SELECT count(*) FROM signins WHERE ipAddress LIKE '45.137.%') AS n"),
    ("message id", "SELECT count(*) AS n FROM events WHERE email.message_id = '{message}'",
     "SELECT count(*) AS n FROM audit WHERE list_contains(MessageIds, '{message}')"),
    ("event id", "SELECT count(*) AS n FROM events WHERE event.id = '{id}'", "SELECT count(*) AS n FROM audit WHERE Id = '{id}'"),
    ("session", "SELECT count(*) AS n FROM events WHERE o365.audit.SessionId = '{session}'",
     "SELECT count(*) AS n FROM audit WHERE SessionId = '{session}'"),
    ("top users", "SELECT user.id, count(*) AS n FROM events WHERE event.dataset = 'o365.audit' GROUP BY 1 ORDER BY n DESC LIMIT 10",
     "SELECT UserId, count(*) AS n FROM audit GROUP BY 1 ORDER BY n DESC LIMIT 10"),
    ("sign-ins with mail", "SELECT count(*) AS n FROM (SELECT DISTINCT s.user.email, s.source.ip FROM events AS s JOIN events AS m "
     "ON m.user.email = s.user.email AND m.source.ip = s.source.ip WHERE s.event.dataset = 'azure.signinlogs' "
     "AND m.event.dataset = 'o365.audit' AND m.event.action = 'MailItemsAccessed')",
     "SELECT count(*) AS n FROM (SELECT DISTINCT s.userPrincipalName, s.ipAddress FROM signins AS s JOIN audit AS m "
     "ON m.UserId = s.userPrincipalName AND m.ip = s.ipAddress WHERE m.Operation = 'MailItemsAccessed')"),
]


def run(command, **more):
    begun = time.perf_counter()
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, **more)
    seconds = time.perf_counter() - begun
    if done.returncode not in (0, 3):
        return None, done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
    return seconds, done.stdout


def count_in(answer):
    """The one number of an answer, JSON of retrohunt or rows of Python; None where it is no number."""
    try:
        rows = ast.literal_eval(answer.strip())
        first = rows[0] if len(rows) == 1 else None
        values = list(first.values()) if isinstance(first, dict) else list(first or [])
        return values[0] if len(values) == 1 else None
    except (ValueError, SyntaxError, TypeError):
        return None


def size_of(folder):
    return sum(file.stat().st_size for file in Path(folder).rglob("*.parquet"))


def drop_caches():
    with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as caches:
        os.sync()
        caches.write("3")


def quartiles(values):
    return (values[0], values[0]) if len(values) < 2 else tuple(statistics.quantiles(values, n=4)[::2])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    root = Path(__file__).resolve().parents[2]
    parser.add_argument("--program", type=Path, default=root / "target/release/retrohunt")
    parser.add_argument("--workspace", type=Path, default=root / "target/compare")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--users", type=int, default=2000)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--cold", action="store_true", help="empty the system's caches before each query (root on Linux)")
    parser.add_argument("--tools", default="duckdb,polars,listing")
    parser.add_argument("--only", help="queries whose name holds this; `ingest` for the ingest alone")
    options = parser.parse_args()
    work = options.workspace.resolve()
    work.mkdir(parents=True, exist_ok=True)
    program, threads = options.program.resolve(), options.threads
    python = work / "venv/bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", work / "venv"], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *PACKAGES], check=True)
    made = f"{options.users}-{options.events}-{options.days}-{options.seed}"
    logs, lake, duck = work / made / "tenant", work / made / "lake", work / made / "duckdb"
    if not (logs / "tenant.json").exists():
        shutil.rmtree(work / made, ignore_errors=True)
        subprocess.run([program, "generate", logs, "--users", str(options.users), "--events", str(options.events), "--days",
                        str(options.days), "--seed", str(options.seed), "--formats", "audit,signins,directory,network,evidence,risk"], check=True, stdout=subprocess.DEVNULL)
    files = list((logs / "logs").iterdir())
    audit = [file for file in files if file.name.startswith("audit-")]
    results = {"machine": platform.platform(), "processor": platform.processor(), "threads": threads, "ingest": {}, "queries": {}}

    if not options.only or options.only == "ingest":
        alone = work / made / "audit"
        alone.mkdir(exist_ok=True)
        for file in audit:
            (alone / file.name).unlink(missing_ok=True)
            (alone / file.name).symlink_to(file)
        megabytes = sum(file.stat().st_size for file in audit) / 1e6
        times = {"retrohunt": [], "duckdb": []}
        for _ in range(options.rounds):
            shutil.rmtree(work / made / "a", ignore_errors=True)
            times["retrohunt"].append(run([program, "ingest", alone, "--lake", work / made / "a", "--threads", threads])[0])
            shutil.rmtree(work / made / "b", ignore_errors=True)
            (work / made / "b").mkdir()
            times["duckdb"].append(run([python, "-c", DUCK_INGEST, alone, work / made / "b", threads, "less", json.dumps(COLUMNS)])[0])
        ratios = [theirs / ours for ours, theirs in zip(times["retrohunt"], times["duckdb"])]
        sizes = {"retrohunt": size_of(work / made / "a"), "duckdb": size_of(work / made / "b")}
        print(f"ingest of {megabytes:.0f} MB of audit records")
        for tool, seconds in times.items():
            middle = statistics.median(seconds)
            print(f"  {tool:10} {middle:7.2f} s {megabytes / middle:7.0f} MB/s {sizes[tool] / 1e6:8.0f} MB of Parquet")
            results["ingest"][tool] = {"seconds": seconds, "megabytes": megabytes, "bytes": sizes[tool]}
        low, high = quartiles(ratios)
        print(f"  retrohunt is {statistics.median(ratios):.2f} times as fast ({low:.2f} to {high:.2f})")
    if options.only == "ingest":
        return

    if not lake.exists():
        subprocess.run([program, "ingest", logs, "--lake", lake], check=True, stdout=subprocess.DEVNULL)
    if not duck.exists():
        part = duck.with_name("duckdb.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        subprocess.run([python, "-c", DUCK_INGEST, logs / "logs", part, str(threads), "more", json.dumps(COLUMNS)], check=True)
        part.rename(duck)
    find = ("SELECT Id, SessionId, MessageIds[1] FROM audit WHERE Operation = 'MailItemsAccessed' AND SessionId <> '' "
            "AND len(MessageIds) > 0 ORDER BY Id LIMIT 1 OFFSET 1000")
    seconds, found = run([python, "-c", DUCK, duck, threads, find])
    if seconds is None:
        sys.exit(f"DuckDB cannot read what it wrote: {found[0]}")
    event, session, message = ast.literal_eval(found)[0]
    scripts = {"duckdb": DUCK, "polars": POLARS, "listing": LISTING}
    tools = [tool for tool in options.tools.split(",") if tool]
    print(f"\n{'query':22} {'retrohunt':>10} " + " ".join(f"{tool:>26}" for tool in tools))
    totals = {"retrohunt": 0.0} | {tool: 0.0 for tool in tools}
    for name, ours, theirs in QUERIES:
        if options.only and options.only not in name:
            continue
        fill = lambda sql: sql.replace("{id}", event).replace("{session}", session).replace("{message}", message)
        if isinstance(ours, list):
            command = [program, *ours, "--lake", lake, "--threads", threads, "--format", "jsonl"]
        else:
            command = [program, "sql", fill(ours), "--lake", lake, "--threads", threads, "--format", "json"]
        times, failed, counts = {"retrohunt": []} | {tool: [] for tool in tools}, {}, {}
        for _ in range(options.rounds):
            for tool in times:
                if tool in failed:
                    continue
                if options.cold:
                    drop_caches()
                seconds, answer = run(command if tool == "retrohunt" else [python, "-c", scripts[tool], duck, threads, fill(theirs)])
                if seconds is None:
                    failed[tool] = answer[0]
                else:
                    times[tool].append(seconds)
                    counts[tool] = count_in(answer) if not isinstance(ours, list) else None
        middle = statistics.median(times["retrohunt"])
        cells = []
        for tool in tools:
            if tool in failed:
                cells.append(f"{'does not say it':>26}")
                continue
            ratios = [b / a for a, b in zip(times["retrohunt"], times[tool])]
            low, high = quartiles(ratios)
            totals[tool] += statistics.median(times[tool])
            cells.append(f"{statistics.median(times[tool]):8.3f} s {statistics.median(ratios):5.2f}x ({low:.2f}-{high:.2f})".rjust(26))
        totals["retrohunt"] += middle
        print(f"{name:22} {middle:8.3f} s " + " ".join(cells), flush=True)
        if len(set(counts.values())) > 1:
            print(f"{'':22} answers differ: " + ", ".join(f"{tool} {count}" for tool, count in counts.items()))
        results["queries"][name] = {"seconds": times, "failed": failed}
    print(f"{'sum':22} {totals['retrohunt']:8.3f} s " + " ".join(f"{totals[tool]:8.3f} s".rjust(26) for tool in tools))
    (work / made / "results.json").write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
