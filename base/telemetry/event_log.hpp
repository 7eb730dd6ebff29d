#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/error.hpp"
#include "base/telemetry/log_limiter.hpp"

namespace picket {

/// Every event of the node's own log; the table is base/telemetry/log_events.def.
enum class log_event : std::uint16_t {
#define PICKET_LOG_EVENT(name, level, meaning, advice) name,
#include "base/telemetry/log_events.def"
#undef PICKET_LOG_EVENT
};

enum class log_level : std::uint8_t { debug, info, warn, error };

/// As it stands in the log and in docs/log-events.md, for example "node-started".
std::string name_of(log_event event);
log_level level_of(log_event event) noexcept;
std::string_view meaning_of(log_event event) noexcept;
std::string_view advice_of(log_event event) noexcept;
std::size_t log_event_count() noexcept;
bool parse_log_level(std::string_view text, log_level& out) noexcept;

/// One `key=value` of a line. Values are escaped when written.
struct log_field {
  std::string_view key;
  std::string value;

  log_field(std::string_view k, std::string_view v)
      : key{k}
      , value{v} {}
  log_field(std::string_view k, const char* v)
      : key{k}
      , value{v} {}
  log_field(std::string_view k, const std::string& v)
      : key{k}
      , value{v} {}
  template <class Int, class = std::enable_if_t<std::is_integral_v<Int>>>
  log_field(std::string_view k, Int v)
      : key{k}
      , value{std::to_string(v)} {}
};

/// The value as it may stand in a line: quoted if it is not a plain word, so that text from outside can never
/// look like another field or line.
std::string escape_log_value(std::string_view value);

/// The node's log: one line an event, `ts=… level=… node=… event=… key=value …`. Thread-safe. Floods are held
/// back (`log_limiter`), by event and by the peer or agent that the line names; `log-suppressed` tells of
/// what, and the latest error of a kind is written in the end.
class event_log {
public:
  struct options {
    std::string node;
    log_level level = log_level::info;
    std::string file; ///< empty: standard error
    log_limits limits;
    std::function<std::int64_t()> steady_ms; ///< the clock of the limits; empty: the machine's
  };

  /// Errors: io (the file cannot be opened).
  static result<std::shared_ptr<event_log>> open(options opts);
  /// A log that writes nowhere, for tests and tools.
  static std::shared_ptr<event_log> silent();
  ~event_log();

  void write(log_event event, std::initializer_list<log_field> fields = {});
  void write(log_event event, const error& err);
  void flush();
  /// Tells of what was held back, when it is time; every line does so too. For quiet times: once a second.
  void tick();

  /// How often `event` was written or suppressed since the start; tests wait for it.
  std::uint64_t count(log_event event) const;
  /// Lines that were held back since the start.
  std::uint64_t suppressed() const;

private:
  struct impl;
  explicit event_log(std::unique_ptr<impl> state);
  std::unique_ptr<impl> impl_;
};

} // namespace picket
