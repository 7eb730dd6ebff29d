#include "config/schema_table.hpp"

// Rows of the table: how agents get their keys.

namespace picket::config {

namespace {

constexpr setting rows[] = {
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
        .key = "enrollment.exchanges_per_address_per_minute",
        .of = [](settings& s) -> target { return &s.enrollment.exchanges_per_address_per_minute; },
        .default_value = "0",
        .min = 1,
        .max = 1000000,
        .zero_too = true,
        .summary =
            "Enrollments a minute from one address, a minute's worth at once; more connections are closed "
            "before the handshake. 0: no limit of its own, as is right where many agents share an "
            "address.",
        .example = "30",
    },
    setting{
        .key = "enrollment.exchanges_per_minute",
        .of = [](settings& s) -> target { return &s.enrollment.exchanges_per_minute; },
        .default_value = "12000",
        .min = 1,
        .max = 10000000,
        .zero_too = true,
        .summary = "The same from all addresses together. 0: no limit.",
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
        .key = "enrollment.proxy_protocol_from",
        .of = [](settings& s) -> target { return &s.enrollment.proxy_protocol_from; },
        .default_value = "",
        .summary =
            "As `ingest.proxy_protocol_from`, for this port; the header stands before TLS. `IP:'src'` and "
            "`use_source_ip` then register the client's own address.",
        .example = "192.0.2.10, 10.1.0.0/28",
    },
    setting{
        .key = "enrollment.proxy_header_timeout_ms",
        .of = [](settings& s) -> target { return &s.enrollment.proxy_header_timeout_ms; },
        .default_value = "5000",
        .min = 100,
        .max = 60000,
        .summary = "As `ingest.proxy_header_timeout_ms`. `timeout_ms` counts from the header.",
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

std::span<const setting> enrollment_rows() noexcept { return rows; }

} // namespace picket::config
