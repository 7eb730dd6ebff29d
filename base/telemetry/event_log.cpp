#include "base/telemetry/event_log.hpp"

#include <array>
#include <atomic>
#include <mutex>
#include <vector>

#include "base/time.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace picket {

namespace {

struct row {
  std::string_view name;
  log_level level;
  std::string_view meaning;
  std::string_view advice;
};

constexpr row rows[] = {
#define PICKET_LOG_EVENT(name, level, meaning, advice) {#name, log_level::level, meaning, advice},
#include "base/telemetry/log_events.def"
#undef PICKET_LOG_EVENT
};

constexpr std::size_t row_count = sizeof(rows) / sizeof(rows[0]);

const row& row_of(log_event event) { return rows[static_cast<std::size_t>(event)]; }

std::string_view text_of(log_level level) {
  switch (level) {
  case log_level::debug:
    return "debug";
  case log_level::info:
    return "info";
  case log_level::warn:
    return "warn";
  case log_level::error:
    return "error";
  }
  return "error";
}

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_'
         || c == '.' || c == ':' || c == '/' || c == '+' || c == '@' || c == '[' || c == ']';
}

} // namespace

std::string name_of(log_event event) {
  std::string name{row_of(event).name};
  for (auto& c : name)
    if (c == '_') c = '-';
  return name;
}

log_level level_of(log_event event) noexcept { return row_of(event).level; }
std::string_view meaning_of(log_event event) noexcept { return row_of(event).meaning; }
std::string_view advice_of(log_event event) noexcept { return row_of(event).advice; }
std::size_t log_event_count() noexcept { return row_count; }

bool parse_log_level(std::string_view text, log_level& out) noexcept {
  for (auto level : {log_level::debug, log_level::info, log_level::warn, log_level::error}) {
    if (text == text_of(level)) {
      out = level;
      return true;
    }
  }
  return false;
}

std::string escape_log_value(std::string_view value) {
  bool plain = !value.empty();
  for (char c : value)
    plain = plain && is_plain(c);
  if (plain) return std::string{value};
  static constexpr char digits[] = "0123456789abcdef";
  std::string text = "\"";
  for (char c : value) {
    auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      text.push_back('\\');
      text.push_back(c);
    } else if (byte < 0x20 || byte == 0x7f) {
      text += "\\x";
      text.push_back(digits[byte >> 4]);
      text.push_back(digits[byte & 15]);
    } else {
      text.push_back(c);
    }
  }
  text.push_back('"');
  return text;
}

namespace {

std::string line_of(const std::string& node, log_event event, std::initializer_list<log_field> fields) {
  std::string line = "ts=" + format_utc(wall_clock_ms()) + " level=" + std::string{text_of(level_of(event))};
  line += " node=" + escape_log_value(node) + " event=" + name_of(event);
  for (const auto& field : fields) {
    line.push_back(' ');
    line.append(field.key);
    line.push_back('=');
    line += escape_log_value(field.value);
  }
  return line;
}

/// Where the line comes from: the address of a peer without its port, or an agent.
std::string_view source_of(std::initializer_list<log_field> fields) {
  for (std::string_view key : {"peer", "agent"}) {
    for (const auto& field : fields) {
      if (field.key != key) continue;
      std::string_view value = field.value;
      return key == "peer" ? value.substr(0, value.rfind(':')) : value;
    }
  }
  return {};
}

} // namespace

struct event_log::impl {
  explicit impl(options given)
      : opts{std::move(given)}
      , limiter{row_count, opts.limits} {
    if (!opts.steady_ms) opts.steady_ms = steady_clock_ms;
  }

  void print(log_level level, const std::string& line) const {
    logger->log(level >= log_level::warn ? spdlog::level::warn : spdlog::level::info, line);
    if (level == log_level::info) logger->flush();
  }

  void tell(const std::vector<log_limiter::account>& held_back) {
    auto now_ms = opts.steady_ms();
    for (const auto& one : held_back) {
      auto event = static_cast<log_event>(one.event);
      totals[static_cast<std::size_t>(log_event::log_suppressed)].fetch_add(1, std::memory_order_relaxed);
      print(log_level::warn, line_of(opts.node, log_event::log_suppressed,
                                     {{"of", name_of(event)},
                                      {"count", one.lines},
                                      {"seconds", (now_ms - one.since_ms + 999) / 1000}}));
      if (!one.last.empty()) print(level_of(event), one.last);
    }
  }

  options opts;
  std::shared_ptr<spdlog::logger> logger;
  std::mutex mutex; ///< of the limiter
  log_limiter limiter;
  std::array<std::atomic<std::uint64_t>, row_count> totals{};
};

event_log::event_log(std::unique_ptr<impl> state)
    : impl_{std::move(state)} {}
event_log::~event_log() {
  std::vector<log_limiter::account> rest;
  {
    std::lock_guard lock{impl_->mutex};
    rest = impl_->limiter.take_all();
  }
  impl_->tell(rest);
  impl_->logger->flush();
}

result<std::shared_ptr<event_log>> event_log::open(options opts) {
  auto file = opts.file;
  auto state = std::make_unique<impl>(std::move(opts));
  try {
    spdlog::sink_ptr sink;
    if (file.empty())
      sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    else
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file);
    sink->set_pattern("%v");
    state->logger = std::make_shared<spdlog::logger>("picket", std::move(sink));
  } catch (const std::exception& ex) {
    return fail(errc::io, std::string{"cannot open the log: "} + ex.what(), file,
                "make its directory writable, or set log.file to another path");
  }
  state->logger->flush_on(spdlog::level::warn);
  return std::shared_ptr<event_log>{new event_log{std::move(state)}};
}

std::shared_ptr<event_log> event_log::silent() {
  auto state = std::make_unique<impl>(options{});
  state->logger = std::make_shared<spdlog::logger>("silent", std::make_shared<spdlog::sinks::null_sink_mt>());
  return std::shared_ptr<event_log>{new event_log{std::move(state)}};
}

void event_log::write(log_event event, std::initializer_list<log_field> fields) {
  auto number = static_cast<std::size_t>(event);
  impl_->totals[number].fetch_add(1, std::memory_order_relaxed);
  auto level = level_of(event);
  if (level < impl_->opts.level) return;
  auto now_ms = impl_->opts.steady_ms();
  bool admitted = false;
  std::vector<log_limiter::account> due;
  {
    std::lock_guard lock{impl_->mutex};
    admitted = impl_->limiter.admit(number, source_of(fields), now_ms);
    if (!admitted && level == log_level::error)
      impl_->limiter.keep(number, line_of(impl_->opts.node, event, fields));
    due = impl_->limiter.take_due(now_ms);
  }
  if (!due.empty()) impl_->tell(due);
  if (admitted) impl_->print(level, line_of(impl_->opts.node, event, fields));
}

void event_log::tick() {
  std::vector<log_limiter::account> due;
  {
    std::lock_guard lock{impl_->mutex};
    due = impl_->limiter.take_due(impl_->opts.steady_ms());
  }
  impl_->tell(due);
}

void event_log::write(log_event event, const error& err) {
  write(event, {{"code", name_of(err.code)},
                {"where", err.where},
                {"what", err.what},
                {"mend", err.mend.empty() ? mend_of(err.code) : std::string_view{err.mend}}});
}

void event_log::flush() { impl_->logger->flush(); }

std::uint64_t event_log::count(log_event event) const {
  return impl_->totals[static_cast<std::size_t>(event)].load(std::memory_order_relaxed);
}

std::uint64_t event_log::suppressed() const {
  std::lock_guard lock{impl_->mutex};
  return impl_->limiter.held_back();
}

} // namespace picket
