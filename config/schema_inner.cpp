#include "config/schema_table.hpp"

// Rows of the table: what happens behind the ports, and the ports for operators.

namespace picket::config {

namespace {

constexpr setting rows[] = {
    // ---- pool ----
    setting{
        .key = "pool.segments",
        .of = [](settings& s) -> target { return &s.pool.segments; },
        .default_value = "2048",
        .min = 16,
        .max = 1048576,
        .summary = "Segments of the pool. Together with their size this is the memory that records can take; "
                   "the file is allocated in full at start.",
    },
    setting{
        .key = "pool.segment_bytes",
        .of = [](settings& s) -> target { return &s.pool.segment_bytes; },
        .default_value = "16384",
        .min = 4096,
        .max = 1048576,
        .summary = "Size of one segment; a multiple of 4096.",
    },
    setting{
        .key = "pool.shard_quota_segments",
        .of = [](settings& s) -> target { return &s.pool.shard_quota_segments; },
        .default_value = "512",
        .min = 1,
        .max = 1048576,
        .summary = "Segments that one shard may hold, so that one loud agent does not take all.",
    },
    // ---- overflow ----
    setting{
        .key = "overflow.dir",
        .of = [](settings& s) -> target { return &s.overflow.dir; },
        .default_value = "overflow",
        .summary =
            "Directory for batches that do not fit into the pool, and for those of durable ingest. On a "
            "disk, not on a tmpfs.",
        .example = "/var/lib/picket/overflow",
    },
    setting{
        .key = "overflow.max_bytes",
        .of = [](settings& s) -> target { return &s.overflow.max_bytes; },
        .default_value = "10737418240",
        .min = 1048576,
        .max = 1099511627776,
        .zero_too = true,
        .summary =
            "Bytes that overflow files may hold; `limits.disk_free_min_bytes` stays free as well. When that "
            "is reached, agents wait. 0: no overflow.",
    },
    // ---- engine ----
    setting{
        .key = "engine.shards",
        .of = [](settings& s) -> target { return &s.engine.shards; },
        .default_value = "64",
        .min = 1,
        .max = 4096,
        .summary = "Parts into which the agents are divided; the records of one part are analysed in order. "
                   "Changing it loses the windows of rules.",
    },
    setting{
        .key = "engine.executors",
        .of = [](settings& s) -> target { return &s.engine.executors; },
        .default_value = "0",
        .min = 1,
        .max = 1024,
        .zero_too = true,
        .summary = "Records are analysed by so many at a time. 0: one per core.",
    },
    setting{
        .key = "engine.batch_records",
        .of = [](settings& s) -> target { return &s.engine.batch_records; },
        .default_value = "256",
        .min = 1,
        .max = 65535,
        .summary = "Records in one batch at most.",
    },
    setting{
        .key = "engine.batch_bytes",
        .of = [](settings& s) -> target { return &s.engine.batch_bytes; },
        .default_value = "262144",
        .min = 65600,
        .max = 16777216,
        .summary = "Bytes of records in one batch at most.",
    },
    setting{
        .key = "engine.state_budget_bytes",
        .of = [](settings& s) -> target { return &s.engine.state_budget_bytes; },
        .default_value = "268435456",
        .min = 1048576,
        .max = 1099511627776,
        .summary = "Memory for the windows of rules, all shards together; the oldest are let go beyond it, "
                   "which a metric shows.",
    },
    // ---- ruleset ----
    setting{
        .key = "ruleset.dir",
        .of = [](settings& s) -> target { return &s.ruleset.dir; },
        .default_value = "",
        .summary =
            "Directory with `decoders/`, `rules/` and `lists/`. Empty: the rule set that comes with Picket.",
        .example = "/etc/picket/ruleset",
    },
    // ---- journal ----
    setting{
        .key = "journal.alerts_json",
        .of = [](settings& s) -> target { return &s.journal.alerts_json; },
        .default_value = "yes",
        .summary = "Write `alerts/alerts.json`. Every other output reads it.",
    },
    setting{
        .key = "journal.alerts_log",
        .of = [](settings& s) -> target { return &s.journal.alerts_log; },
        .default_value = "no",
        .summary = "Write `alerts/alerts.log`, alerts as text, as well.",
    },
    setting{
        .key = "journal.archives_json",
        .of = [](settings& s) -> target { return &s.journal.archives_json; },
        .default_value = "no",
        .summary = "Write every event, alert or not, to `archives/archives.json`.",
    },
    setting{
        .key = "journal.alert_level",
        .of = [](settings& s) -> target { return &s.journal.alert_level; },
        .default_value = "3",
        .min = 0,
        .max = 16,
        .scope = scope::cluster,
        .summary = "Rules below this level raise no alert.",
    },
    setting{
        .key = "journal.email_alert_level",
        .of = [](settings& s) -> target { return &s.journal.email_alert_level; },
        .default_value = "12",
        .min = 0,
        .max = 16,
        .scope = scope::cluster,
        .summary = "Alerts of this level and above are marked for mail.",
    },
    setting{
        .key = "journal.sync",
        .of = [](settings& s) -> target { return &s.journal.sync; },
        .default_value = "interval",
        .choices = "interval strict",
        .summary =
            "`interval`: what was written is forced to the disk each `sync_interval_ms`. `strict`: "
            "before a batch counts as done, which is slower and survives a power cut. `ingest.durable` "
            "means `strict`.",
    },
    setting{
        .key = "journal.sync_interval_ms",
        .of = [](settings& s) -> target { return &s.journal.sync_interval_ms; },
        .default_value = "1000",
        .min = 10,
        .max = 60000,
        .summary = "See `sync`.",
    },
    setting{
        .key = "journal.rotate_interval_s",
        .of = [](settings& s) -> target { return &s.journal.rotate_interval_s; },
        .default_value = "0",
        .min = 600,
        .max = 86400,
        .zero_too = true,
        .summary = "Begin a new part of the day's file after so long. 0: only at midnight.",
    },
    setting{
        .key = "journal.rotate_bytes",
        .of = [](settings& s) -> target { return &s.journal.rotate_bytes; },
        .default_value = "0",
        .min = 1048576,
        .max = 1099511627776,
        .zero_too = true,
        .summary = "Begin a new part of the day's file above this size. 0: only at midnight.",
    },
    // ---- api ----
    setting{
        .key = "api.listen",
        .of = [](settings& s) -> target { return &s.api.listen; },
        .default_value = "127.0.0.1:55000",
        .summary = "Address and port, TLS.",
    },
    setting{
        .key = "api.tls.certificate",
        .of = [](settings& s) -> target { return &s.api.tls.certificate; },
        .default_value = "tls/api.crt",
        .summary = "Certificate chain, PEM. If neither it nor the key exists, both are made at the first "
                   "start, self-signed.",
    },
    setting{
        .key = "api.tls.key",
        .of = [](settings& s) -> target { return &s.api.tls.key; },
        .default_value = "tls/api.key",
        .summary = "Its private key, PEM, mode 0600.",
    },
    setting{
        .key = "api.token_file",
        .of = [](settings& s) -> target { return &s.api.token_file; },
        .default_value = "api.token",
        .summary = "Whoever can read this file (mode 0600, made at the first start) may do everything.",
    },
    setting{
        .key = "api.threads",
        .of = [](settings& s) -> target { return &s.api.threads; },
        .default_value = "8",
        .min = 1,
        .max = 256,
        .summary = "Threads that answer requests.",
    },
    // ---- health ----
    setting{
        .key = "health.listen",
        .of = [](settings& s) -> target { return &s.health.listen; },
        .default_value = "127.0.0.1:55001",
        .summary = "Address and port of `/health/…` and `/metrics`, without TLS.",
    },
    setting{
        .key = "health.threads",
        .of = [](settings& s) -> target { return &s.health.threads; },
        .default_value = "2",
        .min = 1,
        .max = 64,
        .summary = "Threads that answer requests.",
    },
    setting{
        .key = "health.agent_check_enabled",
        .of = [](settings& s) -> target { return &s.health.agent_check_enabled; },
        .default_value = "no",
        .summary =
            "Serve the port that HAProxy's `agent-check` asks: one line, `ready` or `drain`, by whether "
            "this node should get new agents.",
    },
    setting{
        .key = "health.agent_check_listen",
        .of = [](settings& s) -> target { return &s.health.agent_check_listen; },
        .default_value = "0.0.0.0:55002",
        .summary = "Its address and port. Anybody who reaches it may ask; it tells nothing else.",
    },
    // ---- log ----
    setting{
        .key = "log.level",
        .of = [](settings& s) -> target { return &s.log.level; },
        .default_value = "info",
        .choices = "debug info warn error",
        .summary = "Least important events that are logged.",
    },
    setting{
        .key = "log.file",
        .of = [](settings& s) -> target { return &s.log.file; },
        .default_value = "",
        .summary = "File to append to. Empty: standard error.",
        .example = "picketd.log",
    },
    // ---- limits ----
    setting{
        .key = "limits.max_agents",
        .of = [](settings& s) -> target { return &s.limits.max_agents; },
        .default_value = "1000000",
        .min = 1,
        .max = 1000000,
        .scope = scope::cluster,
        .when = takes_effect::at_once,
        .summary = "Agents that may be registered.",
    },
    setting{
        .key = "limits.disk_free_min_bytes",
        .of = [](settings& s) -> target { return &s.limits.disk_free_min_bytes; },
        .default_value = "268435456",
        .min = 0,
        .max = 1099511627776,
        .when = takes_effect::at_once,
        .summary =
            "With less room than this on the disk of the journal or of the data directory the node is not "
            "ready to take events.",
    },
    setting{
        .key = "limits.dead_letters",
        .of = [](settings& s) -> target { return &s.limits.dead_letters; },
        .default_value = "10000",
        .min = 1,
        .max = 1000000,
        .summary = "Lines that are kept because the analysis died of them; more are counted and lost.",
    },
    setting{
        .key = "limits.store_bytes",
        .of = [](settings& s) -> target { return &s.limits.store_bytes; },
        .default_value = "17179869184",
        .min = 16777216,
        .max = 1099511627776,
        .summary = "Greatest size of each of the node's stores.",
    },
};

} // namespace

std::span<const setting> inner_settings() noexcept { return rows; }

} // namespace picket::config
