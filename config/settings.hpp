#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

/// What a node is told by its configuration, typed. Each member is a row of the table in config/schema.cpp,
/// which says what it means; paths are resolved, an empty path or text means what the row says.

namespace picket::config {

/// Where a port listens. An empty host is every address.
struct listen_address {
  std::string host;
  std::uint16_t port = 0;

  friend bool operator==(const listen_address&, const listen_address&) = default;
};

/// Addresses that share their first `bits`; IPv4 uses the first four bytes. Made by `parse_address_range`.
struct address_range {
  bool v6 = false;
  std::array<std::uint8_t, 16> base{};
  unsigned bits = 0;

  friend bool operator==(const address_range&, const address_range&) = default;
};
using address_ranges = std::vector<address_range>;

struct node_settings {
  std::string name;
  std::string cluster_name;
  std::int64_t stop_timeout_s = 0;
};

struct path_settings {
  std::filesystem::path data_dir;
  std::filesystem::path runtime_dir;
  std::filesystem::path journal_dir;
};

struct ingest_settings {
  listen_address listen;
  std::int64_t io_threads = 0;
  std::int64_t backlog = 0;
  std::int64_t max_connections = 0;
  std::int64_t max_connections_per_address = 0;
  std::int64_t max_unverified_per_address = 0;
  std::int64_t max_unverified_bytes = 0;
  std::int64_t max_refused = 0;
  std::int64_t new_connections_per_address_per_s = 0;
  std::int64_t bad_records_per_minute = 0;
  std::int64_t bad_records_penalty_s = 0;
  std::int64_t handshake_timeout_ms = 0;
  std::int64_t frame_timeout_ms = 0;
  std::int64_t write_timeout_ms = 0;
  std::int64_t idle_timeout_s = 0;
  std::int64_t read_interval_ms = 0;
  std::int64_t send_buffer_bytes = 0;
  address_ranges proxy_protocol_from;
  std::int64_t proxy_header_timeout_ms = 0;
  bool durable = false;
};

struct agent_settings {
  std::int64_t disconnection_time_s = 0;
  std::int64_t disconnection_alert_time_s = 0;
  std::int64_t takeover_silence_s = 0;
  std::int64_t takeover_limit = 0;
  std::int64_t ack_interval_ms = 0;
  bool check_counters = false;
  std::int64_t events_per_second = 0;
  std::string events_limit_policy;
};

struct force_settings {
  bool enabled = false;
  bool key_mismatch = false;
  bool disconnected_time_enabled = false;
  std::int64_t disconnected_time_s = 0;
  std::int64_t after_registration_time_s = 0;
};

struct tls_settings {
  std::filesystem::path certificate;
  std::filesystem::path key;
};

struct enrollment_tls_settings : tls_settings {
  std::string ciphers;
  std::filesystem::path agent_ca;
  bool verify_host = false;
};

struct enrollment_settings {
  bool enabled = false;
  listen_address listen;
  bool use_password = false;
  std::filesystem::path password_file;
  bool use_source_ip = false;
  bool allow_higher_versions = false;
  bool repeat_unconfirmed = false;
  std::int64_t repeat_window_s = 0;
  std::int64_t max_exchanges = 0;
  std::int64_t max_exchanges_per_address = 0;
  std::int64_t exchanges_per_address_per_minute = 0;
  std::int64_t exchanges_per_minute = 0;
  std::int64_t timeout_ms = 0;
  address_ranges proxy_protocol_from;
  std::int64_t proxy_header_timeout_ms = 0;
  force_settings force;
  enrollment_tls_settings tls;
};

struct pool_settings {
  std::int64_t segments = 0;
  std::int64_t segment_bytes = 0;
  std::int64_t shard_quota_segments = 0;
};

struct overflow_settings {
  std::filesystem::path dir;
  std::int64_t max_bytes = 0;
};

struct engine_settings {
  std::int64_t shards = 0;
  std::int64_t executors = 0;
  std::int64_t batch_records = 0;
  std::int64_t batch_bytes = 0;
  std::int64_t state_budget_bytes = 0;
};

struct ruleset_settings {
  std::filesystem::path dir;
};

struct journal_settings {
  bool alerts_json = false;
  bool alerts_log = false;
  bool archives_json = false;
  std::int64_t alert_level = 0;
  std::int64_t email_alert_level = 0;
  std::string sync;
  std::int64_t sync_interval_ms = 0;
  std::int64_t rotate_interval_s = 0;
  std::int64_t rotate_bytes = 0;

  /// A batch counts as done only when its alerts are on the disk.
  bool strict_sync() const noexcept { return sync == "strict"; }
};

struct api_settings {
  listen_address listen;
  tls_settings tls;
  std::filesystem::path token_file;
  std::int64_t threads = 0;
};

struct health_settings {
  listen_address listen;
  std::int64_t threads = 0;
  bool agent_check_enabled = false;
  listen_address agent_check_listen;
};

struct log_settings {
  std::string level;
  std::filesystem::path file;
};

struct limit_settings {
  std::int64_t max_agents = 0;
  std::int64_t disk_free_min_bytes = 0;
  std::int64_t store_bytes = 0;
  std::int64_t dead_letters = 0;
};

/// A default-constructed one is empty; `config::defaults()` has the values of the table.
struct settings {
  node_settings node;
  path_settings paths;
  ingest_settings ingest;
  agent_settings agents;
  enrollment_settings enrollment;
  pool_settings pool;
  overflow_settings overflow;
  engine_settings engine;
  ruleset_settings ruleset;
  journal_settings journal;
  api_settings api;
  health_settings health;
  log_settings log;
  limit_settings limits;
};

} // namespace picket::config
