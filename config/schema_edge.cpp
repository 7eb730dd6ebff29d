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
        .summary = "Connections from one address. 0: no limit of its own, as is right behind a load balancer "
                   "without the PROXY protocol.",
        .example = "100",
    },
    setting{
        .key = "ingest.max_unverified_per_address",
        .of = [](settings& s) -> target { return &s.ingest.max_unverified_per_address; },
        .default_value = "4096",
        .min = 1,
        .max = 1000000,
        .zero_too = true,
        .summary =
            "Connections from one address (of IPv6: one /64) that no agent has yet. At the limit, and at "
            "`ingest.max_connections`, the one that has been there longest makes room for a new one. "
            "Behind a load balancer without the PROXY protocol: at least the number of its agents, since "
            "all may come at once. 0: no limit of its own.",
    },
    setting{
        .key = "ingest.max_unverified_bytes",
        .of = [](settings& s) -> target { return &s.ingest.max_unverified_bytes; },
        .default_value = "67108864",
        .min = 1048576,
        .max = 17179869184,
        .summary = "Bytes of unfinished frames that those connections may hold all together; one that wants "
                   "more is closed.",
    },
    setting{
        .key = "ingest.max_refused",
        .of = [](settings& s) -> target { return &s.ingest.max_refused; },
        .default_value = "1024",
        .min = 16,
        .max = 1000000,
        .summary =
            "Connections of agents that were refused with a text and wait for their next attempt, four "
            "of one agent; the oldest makes room for a new one.",
    },
    setting{
        .key = "ingest.new_connections_per_address_per_s",
        .of = [](settings& s) -> target { return &s.ingest.new_connections_per_address_per_s; },
        .default_value = "0",
        .min = 1,
        .max = 100000,
        .zero_too = true,
        .summary =
            "New connections a second from one address in the mean, ten seconds' worth at once; more are "
            "closed unread. 0: no limit, as is right where many agents share an address, as behind a load "
            "balancer without the PROXY protocol.",
        .example = "100",
    },
    setting{
        .key = "ingest.bad_records_per_minute",
        .of = [](settings& s) -> target { return &s.ingest.bad_records_per_minute; },
        .default_value = "60",
        .min = 1,
        .max = 1000000,
        .summary = "Records from one address that may be bad (each costs its connection) before the penalty "
                   "below, if there is one.",
    },
    setting{
        .key = "ingest.bad_records_penalty_s",
        .of = [](settings& s) -> target { return &s.ingest.bad_records_penalty_s; },
        .default_value = "0",
        .min = 1,
        .max = 86400,
        .zero_too = true,
        .summary =
            "For so long an address that sends more bad records gets no new connection, unless an agent "
            "from there is connected or was within the last hour. 0: never; agents that were removed "
            "here and still try would otherwise shut out new ones behind the same address.",
        .example = "60",
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
        .key = "ingest.proxy_protocol_from",
        .of = [](settings& s) -> target { return &s.ingest.proxy_protocol_from; },
        .default_value = "",
        .summary =
            "Load balancers that send the PROXY protocol (v1 or v2). Every connection from there must begin "
            "with its header, and counts as one of the client that this names. Headers from anywhere else "
            "are not looked at. Empty: off.",
        .example = "192.0.2.10, 10.1.0.0/28",
    },
    setting{
        .key = "ingest.proxy_header_timeout_ms",
        .of = [](settings& s) -> target { return &s.ingest.proxy_header_timeout_ms; },
        .default_value = "5000",
        .min = 100,
        .max = 60000,
        .summary = "A connection from there that has not brought its header for so long is closed.",
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
};

} // namespace

std::span<const setting> edge_settings() noexcept { return rows; }

} // namespace picket::config
