#include "config/schema_table.hpp"

// Rows of the table: the node and its ports for agents.

namespace picket::config {

namespace {

constexpr setting rows[] = {
    // ---- node ----
    setting{
        .key = "node.name",
        .of = [](settings& s) -> target { return &s.node.name; },
        .default_value = "",
        .summary = "Name of this node, as alerts show it. Empty: the machine's host name.",
        .example = "n1",
    },
    setting{
        .key = "node.cluster_name",
        .of = [](settings& s) -> target { return &s.node.cluster_name; },
        .default_value = "",
        .scope = scope::cluster,
        .summary = "Name of the cluster in alerts. Empty: alerts have no `cluster` object.",
        .example = "picket",
    },
    setting{
        .key = "node.stop_timeout_s",
        .of = [](settings& s) -> target { return &s.node.stop_timeout_s; },
        .default_value = "60",
        .min = 1,
        .max = 3600,
        .summary = "How long a stop may take to finish what was read. What is left then is finished at the "
                   "next start.",
    },
    // ---- paths ----
    setting{
        .key = "paths.data_dir",
        .of = [](settings& s) -> target { return &s.paths.data_dir; },
        .default_value = "data",
        .summary = "Registry, tokens, certificates. Relative to the directory of the configuration file; "
                   "every other relative path is relative to this one.",
        .example = "/var/lib/picket",
    },
    setting{
        .key = "paths.runtime_dir",
        .of = [](settings& s) -> target { return &s.paths.runtime_dir; },
        .default_value = "run",
        .summary = "Where the pool of records that are being worked on lives; best on a tmpfs that outlives "
                   "the process.",
        .example = "/run/picket",
    },
    setting{
        .key = "paths.journal_dir",
        .of = [](settings& s) -> target { return &s.paths.journal_dir; },
        .default_value = "logs",
        .summary = "Alerts and archives, in `alerts/` and `archives/` below it.",
        .example = "/var/log/picket",
    },
    // ---- ingest ----
    setting{
        .key = "ingest.listen",
        .of = [](settings& s) -> target { return &s.ingest.listen; },
        .default_value = "0.0.0.0:1514",
        .summary = "Address and port for agents.",
        .example = "[::]:1514",
    },
    setting{
        .key = "ingest.io_threads",
        .of = [](settings& s) -> target { return &s.ingest.io_threads; },
        .default_value = "1",
        .min = 1,
        .max = 64,
        .summary = "Threads that read the agents' sockets. One serves some 100,000 records a second.",
    },
    setting{
        .key = "ingest.backlog",
        .of = [](settings& s) -> target { return &s.ingest.backlog; },
        .default_value = "4096",
        .min = 16,
        .max = 65535,
        .summary = "Connections that may wait to be accepted. After a network fault all agents come within a "
                   "tenth of a second: at least their number; the kernel's `net.core.somaxconn` limits it.",
    },
    setting{
        .key = "ingest.max_connections",
        .of = [](settings& s) -> target { return &s.ingest.max_connections; },
        .default_value = "20000",
        .min = 1,
        .max = 1000000,
        .summary = "Connections of agents at a time; more are closed at once.",
    },
    setting{
        .key = "ingest.max_connections_per_address",
        .of = [](settings& s) -> target { return &s.ingest.max_connections_per_address; },
        .default_value = "0",
        .min = 1,
        .max = 1000000,
        .zero_too = true,
        .summary =
            "Connections from one address. 0: no limit of its own, as is right behind a load balancer.",
        .example = "100",
    },
    setting{
        .key = "ingest.max_unverified_per_address",
        .of = [](settings& s) -> target { return &s.ingest.max_unverified_per_address; },
        .default_value = "1024",
        .min = 1,
        .max = 1000000,
        .summary =
            "Connections from one address that have not yet sent a record that opens with an agent's key.",
    },
    setting{
        .key = "ingest.handshake_timeout_ms",
        .of = [](settings& s) -> target { return &s.ingest.handshake_timeout_ms; },
        .default_value = "60000",
        .min = 100,
        .max = 600000,
        .summary =
            "A connection that has not sent a valid record for so long after it was accepted is closed.",
    },
    setting{
        .key = "ingest.frame_timeout_ms",
        .of = [](settings& s) -> target { return &s.ingest.frame_timeout_ms; },
        .default_value = "60000",
        .min = 100,
        .max = 600000,
        .summary = "A connection that does not complete a frame for so long is closed.",
    },
    setting{
        .key = "ingest.write_timeout_ms",
        .of = [](settings& s) -> target { return &s.ingest.write_timeout_ms; },
        .default_value = "5000",
        .min = 100,
        .max = 60000,
        .summary = "A connection to which a frame is half-written for so long is closed: half a frame stops "
                   "the agent.",
    },
    setting{
        .key = "ingest.idle_timeout_s",
        .of = [](settings& s) -> target { return &s.ingest.idle_timeout_s; },
        .default_value = "1200",
        .min = 60,
        .max = 86400,
        .zero_too = true,
        .summary = "A connection without a byte for so long is closed, unless the node itself has paused it. "
                   "0: never.",
    },
    setting{
        .key = "ingest.read_interval_ms",
        .of = [](settings& s) -> target { return &s.ingest.read_interval_ms; },
        .default_value = "5",
        .min = 1,
        .max = 100,
        .zero_too = true,
        .summary = "A busy connection is read again after so long, so that records come several at a time. "
                   "0: at once.",
    },
    setting{
        .key = "ingest.send_buffer_bytes",
        .of = [](settings& s) -> target { return &s.ingest.send_buffer_bytes; },
        .default_value = "131072",
        .min = 65544,
        .max = 16777216,
        .summary = "Bytes that may wait to be sent to one agent.",
    },
    setting{
        .key = "ingest.durable",
        .of = [](settings& s) -> target { return &s.ingest.durable; },
        .default_value = "no",
        .summary =
            "Force every batch to the disk before it counts as read, so that a crash of the machine loses "
            "nothing of it. Implies `journal.sync: strict`.",
    },
    // ---- agents ----
    setting{
        .key = "agents.disconnection_time_s",
        .of = [](settings& s) -> target { return &s.agents.disconnection_time_s; },
        .default_value = "900",
        .min = 10,
        .max = 86400,
        .scope = scope::cluster,
        .when = takes_effect::at_once,
        .summary = "An agent without a keep-alive for so long counts as disconnected.",
    },
    setting{
        .key = "agents.disconnection_alert_time_s",
        .of = [](settings& s) -> target { return &s.agents.disconnection_alert_time_s; },
        .default_value = "0",
        .min = 0,
        .max = 86400,
        .scope = scope::cluster,
        .when = takes_effect::at_once,
        .summary = "How long after that the event `Agent disconnected` is raised.",
    },
    setting{
        .key = "agents.takeover_silence_s",
        .of = [](settings& s) -> target { return &s.agents.takeover_silence_s; },
        .default_value = "60",
        .min = 1,
        .max = 3600,
        .scope = scope::cluster,
        .when = takes_effect::at_once,
        .summary = "A second connection with an agent's key replaces a first one that was silent for so "
                   "long. A proven newer one replaces it at once.",
    },
    setting{
        .key = "agents.takeover_limit",
        .of = [](settings& s) -> target { return &s.agents.takeover_limit; },
        .default_value = "3",
        .min = 1,
        .max = 8,
        .scope = scope::cluster,
        .when = takes_effect::at_once,
        .summary = "Replacements of one agent's connection within ten minutes; more are refused for a "
                   "minute, for then two agents have one key.",
    },
    setting{
        .key = "agents.ack_interval_ms",
        .of = [](settings& s) -> target { return &s.agents.ack_interval_ms; },
        .default_value = "10000",
        .min = 1000,
        .max = 30000,
        .scope = scope::cluster,
        .when = takes_effect::at_once,
        .summary = "How often an agent is told that the node is alive while its records wait. Agents leave "
                   "after 60 s without a word.",
    },
    setting{
        .key = "agents.check_counters",
        .of = [](settings& s) -> target { return &s.agents.check_counters; },
        .default_value = "no",
        .scope = scope::cluster,
        .when = takes_effect::at_once,
        .summary = "Refuse records whose counters were seen before. Agents that are installed anew with an "
                   "old key are then locked out.",
    },
    setting{
        .key = "agents.events_per_second",
        .of = [](settings& s) -> target { return &s.agents.events_per_second; },
        .default_value = "0",
        .min = 1,
        .max = 1000000,
        .zero_too = true,
        .scope = scope::cluster,
        .when = takes_effect::at_once,
        .summary =
            "Records a second that one agent may send in the mean, ten seconds' worth at once. 0: no limit.",
        .example = "500",
    },
    setting{
        .key = "agents.events_limit_policy",
        .of = [](settings& s) -> target { return &s.agents.events_limit_policy; },
        .default_value = "delay",
        .choices = "delay drop",
        .scope = scope::cluster,
        .when = takes_effect::at_once,
        .summary =
            "What happens to records above that limit. `delay`: they wait at the agent. `drop`: they are "
            "thrown away and counted.",
    },
    // ---- enrollment ----
    setting{
        .key = "enrollment.enabled",
        .of = [](settings& s) -> target { return &s.enrollment.enabled; },
        .default_value = "yes",
        .summary = "Serve the enrollment port.",
    },
    setting{
        .key = "enrollment.listen",
        .of = [](settings& s) -> target { return &s.enrollment.listen; },
        .default_value = "0.0.0.0:1515",
        .summary = "Address and port for enrollment, TLS.",
    },
    setting{
        .key = "enrollment.use_password",
        .of = [](settings& s) -> target { return &s.enrollment.use_password; },
        .default_value = "no",
        .scope = scope::cluster,
        .summary = "Ask agents for the password in `enrollment.password_file`.",
    },
    setting{
        .key = "enrollment.password_file",
        .of = [](settings& s) -> target { return &s.enrollment.password_file; },
        .default_value = "enrollment.pass",
        .summary = "Its first line is the password, at least three characters.",
    },
    setting{
        .key = "enrollment.use_source_ip",
        .of = [](settings& s) -> target { return &s.enrollment.use_source_ip; },
        .default_value = "no",
        .scope = scope::cluster,
        .when = takes_effect::at_once,
        .summary = "Register an agent that names no address with the one it comes from, instead of `any`.",
    },
    setting{
        .key = "enrollment.allow_higher_versions",
        .of = [](settings& s) -> target { return &s.enrollment.allow_higher_versions; },
        .default_value = "yes",
        .scope = scope::cluster,
        .when = takes_effect::at_once,
        .summary = "Take agents whose version is above the one this node counts as (4.14).",
    },
    setting{
        .key = "enrollment.repeat_unconfirmed",
        .of = [](settings& s) -> target { return &s.enrollment.repeat_unconfirmed; },
        .default_value = "yes",
        .scope = scope::cluster,
        .when = takes_effect::at_once,
        .summary = "Answer a repeated request of an agent that has not yet connected with the same id and "
                   "key. Behind a balancer without the PROXY protocol all agents share one address: then "
                   "another host that knows the password could get that key.",
    },
    setting{
        .key = "enrollment.repeat_window_s",
        .of = [](settings& s) -> target { return &s.enrollment.repeat_window_s; },
        .default_value = "600",
        .min = 10,
        .max = 86400,
        .scope = scope::cluster,
        .when = takes_effect::at_once,
        .summary = "How long after an enrollment its repetition gets the same answer.",
    },
    setting{
        .key = "enrollment.max_exchanges",
        .of = [](settings& s) -> target { return &s.enrollment.max_exchanges; },
        .default_value = "1000",
        .min = 1,
        .max = 100000,
        .summary = "Enrollments at a time; more connections are closed, and the agents come back.",
    },
    setting{
        .key = "enrollment.max_exchanges_per_address",
        .of = [](settings& s) -> target { return &s.enrollment.max_exchanges_per_address; },
        .default_value = "0",
        .min = 1,
        .max = 100000,
        .zero_too = true,
        .summary = "The same for one address. 0: no limit of its own.",
        .example = "10",
    },
    setting{
        .key = "enrollment.timeout_ms",
        .of = [](settings& s) -> target { return &s.enrollment.timeout_ms; },
        .default_value = "10000",
        .min = 100,
        .max = 600000,
        .summary = "Time for a whole enrollment, from the connection to the answer.",
    },
    setting{
        .key = "enrollment.force.enabled",
        .of = [](settings& s) -> target { return &s.enrollment.force.enabled; },
        .default_value = "yes",
        .scope = scope::cluster,
        .when = takes_effect::at_once,
        .summary = "A new enrollment may replace an agent with the same name or address, if the rules below "
                   "allow it.",
    },
    setting{
        .key = "enrollment.force.key_mismatch",
        .of = [](settings& s) -> target { return &s.enrollment.force.key_mismatch; },
        .default_value = "yes",
        .scope = scope::cluster,
        .when = takes_effect::at_once,
        .summary = "Not if the agent shows that it still has the right key.",
    },
    setting{
        .key = "enrollment.force.disconnected_time_enabled",
        .of = [](settings& s) -> target { return &s.enrollment.force.disconnected_time_enabled; },
        .default_value = "yes",
        .scope = scope::cluster,
        .when = takes_effect::at_once,
        .summary = "Not unless the old agent has been disconnected for `disconnected_time_s`, or was never "
                   "connected.",
    },
    setting{
        .key = "enrollment.force.disconnected_time_s",
        .of = [](settings& s) -> target { return &s.enrollment.force.disconnected_time_s; },
        .default_value = "3600",
        .min = 0,
        .max = 31536000,
        .scope = scope::cluster,
        .when = takes_effect::at_once,
        .summary = "See `disconnected_time_enabled`.",
    },
    setting{
        .key = "enrollment.force.after_registration_time_s",
        .of = [](settings& s) -> target { return &s.enrollment.force.after_registration_time_s; },
        .default_value = "3600",
        .min = 0,
        .max = 31536000,
        .scope = scope::cluster,
        .when = takes_effect::at_once,
        .summary = "Not before the old agent's registration is so old. 0: at any time.",
    },
    setting{
        .key = "enrollment.tls.certificate",
        .of = [](settings& s) -> target { return &s.enrollment.tls.certificate; },
        .default_value = "tls/enrollment.crt",
        .summary = "Certificate chain, PEM. If neither it nor the key exists, both are made at the first "
                   "start, self-signed.",
    },
    setting{
        .key = "enrollment.tls.key",
        .of = [](settings& s) -> target { return &s.enrollment.tls.key; },
        .default_value = "tls/enrollment.key",
        .summary = "Its private key, PEM, mode 0600.",
    },
    setting{
        .key = "enrollment.tls.ciphers",
        .of = [](settings& s) -> target { return &s.enrollment.tls.ciphers; },
        .default_value = "HIGH:!ADH:!EXP:!MD5:!RC4:!3DES:!CAMELLIA:@STRENGTH",
        .summary = "Ciphers for TLS 1.2, as OpenSSL writes them.",
    },
    setting{
        .key = "enrollment.tls.agent_ca",
        .of = [](settings& s) -> target { return &s.enrollment.tls.agent_ca; },
        .default_value = "",
        .summary = "CA bundle, PEM. If given, agents must have a certificate of it.",
        .example = "tls/agents-ca.pem",
    },
    setting{
        .key = "enrollment.tls.verify_host",
        .of = [](settings& s) -> target { return &s.enrollment.tls.verify_host; },
        .default_value = "no",
        .summary = "An agent's certificate must also name the address that it comes from.",
    },
};

} // namespace

std::span<const setting> edge_settings() noexcept { return rows; }

} // namespace picket::config
