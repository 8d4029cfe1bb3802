"""What other programs read in a lake, each by its own means, as one JSON object."""

import json
import sys

import deltalake
import duckdb
import polars as pl
import pyarrow.compute as pc

lake = sys.argv[1]
ACTION, CATEGORY = "MailItemsAccessed", "web"


def table(name):
    return deltalake.DeltaTable(f"{lake}/{name}")


def micros(time):
    return round(time.timestamp() * 1_000_000)


def by_deltalake():
    events = table("events").to_pyarrow_table()
    rows = events.select(["event_dataset", "timestamp", "event_action", "event_category", "o365_audit_parameters"])
    found = {}
    for row in rows.to_pylist():
        of = found.setdefault(row["event_dataset"], [0, [], 0, 0, 0])
        of[0] += 1
        of[1].append(micros(row["timestamp"]))
        of[2] += row["event_action"] == ACTION
        of[3] += CATEGORY in (row["event_category"] or [])
        of[4] += len(row["o365_audit_parameters"] or [])
    days = pc.count_distinct(events["day"]).as_py()
    quarantine, ledger = (table(name).to_pyarrow_table() for name in ("quarantine", "ledger"))
    return {
        "events": [[name, n, min(times), max(times), *rest] for name, (n, times, *rest) in sorted(found.items())],
        "days": days,
        "quarantine": [quarantine.num_rows, pc.sum(pc.binary_length(quarantine["record"])).as_py()],
        "ledger": [ledger.num_rows, pc.sum(ledger["read"]).as_py(), pc.sum(pc.list_value_length(ledger["formats"])).as_py()],
    }


def by_polars():
    events = pl.scan_delta(f"{lake}/events")
    of = events.group_by("event_dataset").agg(
        pl.len().alias("n"),
        pl.col("timestamp").min().dt.epoch("us").alias("first"),
        pl.col("timestamp").max().dt.epoch("us").alias("last"),
        pl.col("event_category").list.contains(CATEGORY).sum().alias("category"),
        pl.col("o365_audit_parameters").list.len().sum().alias("parameters"),
    )
    # A filter of its own, which polars pushes down to the files.
    some = events.filter(pl.col("event_action") == ACTION).group_by("event_dataset").agg(pl.len().alias("some")).collect()
    some = dict(some.iter_rows())
    rows = of.sort("event_dataset").collect().iter_rows(named=True)
    quarantine, ledger = (pl.read_delta(f"{lake}/{name}") for name in ("quarantine", "ledger"))
    return {
        "events": [
            [r["event_dataset"], r["n"], r["first"], r["last"], some.get(r["event_dataset"], 0), r["category"] or 0, r["parameters"] or 0]
            for r in rows
        ],
        "days": events.select(pl.col("day").n_unique()).collect().item(),
        "quarantine": [quarantine.height, quarantine["record"].bin.size().sum()],
        "ledger": [ledger.height, ledger["read"].sum(), ledger["formats"].list.len().sum()],
    }


def by_duckdb():
    # delta_scan is in an extension that DuckDB downloads from a server of its own, which is not to
    # be had everywhere; the package does not bring it. The files of the table's version are from
    # the log by way of deltalake.
    connection = duckdb.connect()

    def ask(sql, name):
        files = "read_parquet(?, hive_partitioning = true, union_by_name = true)"
        return connection.execute(sql.replace("FILES", files), [table(name).file_uris()]).fetchall()

    events = ask(
        f"""SELECT event_dataset, count(*), epoch_us(min(timestamp)), epoch_us(max(timestamp)),
            count(*) FILTER (WHERE event_action = '{ACTION}'),
            count(*) FILTER (WHERE list_contains(event_category, '{CATEGORY}')),
            coalesce(sum(len(o365_audit_parameters)), 0)::BIGINT
            FROM FILES GROUP BY ALL ORDER BY 1""",
        "events",
    )
    # It looks at our Bloom filters, of which every text has to be found.
    ids = ask("SELECT DISTINCT event_id FROM FILES ORDER BY hash(event_id) LIMIT 60", "events")
    lost = [id for (id,) in ids if not ask(f"SELECT count(*) FROM FILES WHERE event_id = '{id}'", "events")[0][0]]
    assert ids and not lost, lost
    return {
        "events": [list(row) for row in events],
        "days": ask("SELECT count(DISTINCT day) FROM FILES", "events")[0][0],
        "quarantine": list(ask("SELECT count(*), sum(octet_length(record))::BIGINT FROM FILES", "quarantine")[0]),
        "ledger": list(ask("SELECT count(*), sum(read)::BIGINT, sum(len(formats))::BIGINT FROM FILES", "ledger")[0]),
    }


print(json.dumps({"deltalake": by_deltalake(), "polars": by_polars(), "duckdb": by_duckdb()}))
