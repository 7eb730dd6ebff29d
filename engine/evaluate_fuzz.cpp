// A log line through a whole rule set: the stock one where PICKET_REFERENCE_DATA names the reference data
// (with `decoders/`, `rules/`, `lists/` below wazuh-4.14.7/), else ours. Output is valid JSON lines; the
// state comes back equal.
#include "engine/api.hpp"
#include "engine/event/source.hpp"
#include "engine/render/escape.hpp"
#include "engine/state/encode.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

namespace {

using namespace picket;
using namespace picket::engine;

void must(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

std::shared_ptr<const ruleset> load() {
  const char* data = std::getenv("PICKET_REFERENCE_DATA");
  auto files =
      read_ruleset_directory(data ? std::string{data} + "/wazuh-4.14.7" : std::string{"config/ruleset"});
  if (!files) {
    std::fprintf(stderr, "%s\n", to_string(files.error()).c_str());
    std::exit(2);
  }
  auto made = compile(*files);
  if (!made.ruleset) std::exit(2);
  return made.ruleset;
}

struct world {
  std::shared_ptr<const ruleset> rules = load();
  shard_state shard{hash_seed{1, 2}};
  node_state node;
  first_seen_in_memory first;
  local_global_windows global;
  engine_limits limits;
  engine_counters counters;
  scratch memory;
  batch_out out;
  source from = make_agent_source("001", "web-01", "any", "/var/log/x", "mgr");
  std::int64_t now_ms = 1'749'038'400'000;
  std::uint64_t events = 0;
};

/// A reader of JSON that is strict about UTF-8, escapes and structure. Small: only for this check.
class json_checker {
public:
  explicit json_checker(std::string_view text)
      : rest_(text) {}
  bool object_line() { return object(0) && rest_.empty(); }

private:
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool string() {
    if (!take('"')) return false;
    while (!rest_.empty() && rest_.front() != '"') {
      const auto byte = static_cast<unsigned char>(rest_.front());
      if (byte < 0x20) return false;
      std::size_t length = utf8_length(rest_);
      if (byte == '\\') length = rest_.size() > 1 && rest_[1] == 'u' ? 6 : 2;
      if (length == 0 || length > rest_.size()) return false;
      rest_.remove_prefix(length);
    }
    return take('"');
  }
  bool value(int depth) {
    if (rest_.empty() || depth > 2000) return false;
    if (rest_.front() == '"') return string();
    if (rest_.front() == '{') return object(depth + 1);
    if (rest_.front() == '[') return array(depth + 1);
    const auto end = rest_.find_first_of(",]}");
    if (end == 0 || end == std::string_view::npos) return false;
    rest_.remove_prefix(end);
    return true;
  }
  bool object(int depth) {
    if (!take('{')) return false;
    if (take('}')) return true;
    do {
      if (!string() || !take(':') || !value(depth)) return false;
    } while (take(','));
    return take('}');
  }
  bool array(int depth) {
    if (!take('[')) return false;
    if (take(']')) return true;
    do {
      if (!value(depth)) return false;
    } while (take(','));
    return take(']');
  }
  std::string_view rest_;
};

void check_lines(std::string_view text) {
  while (!text.empty()) {
    const auto end = text.find('\n');
    must(end != std::string_view::npos, "a line without its end");
    must(json_checker(text.substr(0, end)).object_line(), "a line is no JSON object");
    text.remove_prefix(end + 1);
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static world w;
  std::string text(reinterpret_cast<const char*>(data), size < 65'535 ? size : 65'535);
  const auto length = text.size();
  text.append(arena::slack_bytes, '\0');
  event_in in;
  in.source = &w.from;
  in.text = std::string_view{text}.substr(0, length);
  in.arrival_ms = w.now_ms += 250;
  wanted_outputs outputs;
  outputs.alerts_text = outputs.archives_json = outputs.archives_text = outputs.firewall_text = true;
  w.out.clear();
  const context with{*w.rules, w.shard, w.node, w.first, w.global, w.limits, w.counters, outputs};
  must(evaluate({&in, 1}, with, w.memory, w.out).complete(), "a batch without remote windows stays open");
  check_lines(w.out.json);
  check_lines(w.out.archive_json);
  if (++w.events % 64 == 0) {
    byte_buffer bytes;
    encode(w.shard, bytes);
    const auto decoded = decode_state(bytes);
    must(decoded.has_value() && **decoded == w.shard, "the state does not come back equal");
  }
  return 0;
}
