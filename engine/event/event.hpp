#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace picket::engine {

struct decoder; // engine/load/decoders.hpp

/// The static fields of rules.md 0, in the order in which alerts print them where that matters.
enum class static_field : std::uint8_t {
  srcip,
  dstip,
  srcport,
  dstport,
  srcuser,
  dstuser,
  protocol,
  action,
  id,
  url,
  data,
  extra_data,
  status,
  system_name
};
inline constexpr std::size_t static_field_count = 14;

/// Name as used in `order`, rules and alerts ("system_name" for system_name).
std::string_view name_of(static_field f) noexcept;
/// Exact, case-sensitive; nothing if `name` is no static field. Does not know the alias `user`.
std::optional<static_field> static_field_of(std::string_view name) noexcept;

/// Category of decoders and rules (decoders.md 4.1, rules.md 2.2).
enum class event_type : std::uint8_t {
  syslog,
  firewall,
  ids,
  web_log,
  squid,
  windows,
  host_information,
  ossec
};

struct dynamic_field {
  std::string_view name;
  std::string_view value;
};

struct label {
  std::string name;
  std::string value;
  bool hidden = false;
};

/// Where events come from: the same for all events of one agent and file. Owned by the caller for the whole
/// batch.
struct source {
  std::string agent_id = "000"; ///< as written in alerts
  std::string agent_name;       ///< the node's own name for "000"
  std::string agent_ip;         ///< empty: none shown
  std::vector<label> labels;
  std::string location;       ///< as alerts print it, for example "/var/log/auth.log"
  bool location_shown = true; ///< false: alerts have no location (a tag without its arrow)
  std::string rule_location;  ///< as rules see it, for example "(web-01) any->/var/log/auth.log" (rules.md 0)
  char queue = '1';
  bool from_agent = false; ///< hostname is the agent's name (decoders.md 3.6)
  std::string manager_name;
  std::string cluster_name; ///< empty: no `cluster` object in alerts
  std::string node_name;
};

/// One event while it is analysed. All texts are views into the batch's buffer or the scratch memory; nothing
/// outlives the event. Cleared and used again for the next one.
struct event {
  const engine::source* source = nullptr;
  std::int64_t arrival_ms = 0;
  std::int32_t utc_offset_s = 0;

  std::string_view full_log;
  std::string_view log;
  char byte_before_log = '\0'; ///< decoders.md 3.8

  std::optional<std::string_view> program_name;
  std::optional<std::string_view> timestamp;
  std::optional<std::string_view> hostname_in_log; ///< pre-decoded, decoders.md 3.4
  std::string_view hostname;                       ///< what rules see, decoders.md 3.6

  std::array<std::optional<std::string_view>, static_field_count> statics;
  std::vector<dynamic_field> dynamics;

  const engine::decoder* decoder = nullptr; ///< the matched decoder; null: none
  event_type type = event_type::syslog;     ///< the decoder's, unless a plugin changed it (decoders.md 4.7.3)

  std::optional<std::string_view> get(static_field f) const { return statics[static_cast<std::size_t>(f)]; }
  void set(static_field f, std::string_view value) { statics[static_cast<std::size_t>(f)] = value; }
  /// First dynamic field of that name, without letter case.
  std::optional<std::string_view> dynamic(std::string_view name) const;

  /// Forgets everything, keeps the memory.
  void clear();
};

} // namespace picket::engine
