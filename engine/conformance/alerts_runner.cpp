// What the running engine wrote: expected/alerts.jsonl, and in both forms expected/alerts-text.jsonl.
#include "engine/conformance/answers.hpp"
#include "engine/conformance/runners.hpp"
#include "engine/event/source.hpp"

#include <algorithm>
#include <fstream>
#include <optional>
#include <set>

namespace picket::conformance {
namespace {

/// The agent of these records: its registered address is "any" or its own, its keep-alive's is shown.
engine::source agent_source() {
  auto source = engine::make_agent_source("001", "web-01", "192.0.2.7", "/var/log/test.log", "vm");
  source.agent_ip = "192.0.2.7";
  return source;
}

/// Without what cannot be equal: time, id, and the names of ATT&CK (a table of ours).
json comparable(json alert) {
  if (!alert.is_object()) return alert;
  for (const auto* member : {"timestamp", "id"})
    alert.erase(member);
  if (alert.contains("rule") && alert["rule"].contains("mitre")) {
    alert["rule"]["mitre"].erase("tactic");
    alert["rule"]["mitre"].erase("technique");
  }
  return alert;
}

json parsed(const std::string& document) { return json::parse(document, nullptr, false); }

class alerts_runner : public runner {
public:
  std::string_view name() const override { return "alerts"; }
  std::filesystem::path file() const override { return "expected/alerts.jsonl"; }

  outcome run(const json& record, const context& where) override {
    const auto rules = stock_ruleset(where, true);
    if (!rules) return {verdict::failed, "a rule set", "none"};
    // Lines of one case share a state; each case begins with a fresh engine.
    if (record["line"] == 1 || !session_) session_.emplace(rules, engine::analysis_path::live, "vm");
    const auto answer =
        session_->run(record["event"].get_ref<const std::string&>(), source_, usual_arrival_ms);
    const bool alerts = !record["alerts"].empty();
    json expected = comparable(alerts ? record["alerts"][0] : record["archive"]);
    json got = comparable(parsed(answer.document));
    if (alerts != answer.alert) return {verdict::failed, show(expected), show(got)};
    return compare(expected, got);
  }

  void spoil(json& record) const override {
    (record["alerts"].empty() ? record["archive"] : record["alerts"][0])["full_log"] = "spoilt";
  }

private:
  engine::source source_ = agent_source();
  std::optional<engine::logtest_session> session_;
};

/// The blocks of an alerts.log file.
class text_blocks {
public:
  explicit text_blocks(const std::filesystem::path& file)
      : in_(file, std::ios::binary) {}

  std::string next() {
    std::string block;
    for (std::string line; std::getline(in_, line);) {
      if (line.empty()) break;
      block += line + "\n";
    }
    return block;
  }

private:
  std::ifstream in_;
};

/// Without alert number and time, which cannot be equal, and with a blank for each line break: inside values
/// ours are blanks already.
std::string comparable_block(const std::string& block) {
  const auto first_end = block.find('\n');
  const auto colon = block.find(':');
  const auto source = block.find('(', first_end);
  if (first_end == std::string::npos || colon == std::string::npos || source == std::string::npos)
    return block;
  auto text = block.substr(colon, first_end - colon + 1) + block.substr(source);
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

/// The log in a block: the first line behind "Rule:" and the lines of fixed names.
std::string log_of(const std::string& block) {
  std::size_t at = block.find("\nRule: ");
  if (at == std::string::npos) return {};
  at = block.find('\n', at + 1) + 1;
  for (const std::string name : {"Src IP: ", "Src Port: ", "Dst IP: ", "Dst Port: ", "User: "})
    if (block.compare(at, name.size(), name) == 0) at = block.find('\n', at) + 1;
  return block.substr(at, block.find('\n', at) - at);
}

class alerts_text_runner : public runner {
public:
  std::string_view name() const override { return "alerts-text"; }
  std::filesystem::path file() const override { return "expected/alerts-text.jsonl"; }

  outcome run(const json& record, const context& where) override {
    const auto rules = stock_ruleset(where, true);
    if (!rules) return {verdict::failed, "a rule set", "none"};
    if (!session_) {
      session_.emplace(rules, engine::analysis_path::live, "vm");
      blocks_.emplace(where.data / "expected/alerts-text.log");
    }
    const auto block = blocks_->next();
    const auto line = record.contains("full_log") ? record["full_log"].get<std::string>() : log_of(block);
    if (!seen_before(record.value("previous_output", "")))
      return not_run("counts events that raised no alert");
    seen_.insert(line);
    const auto answer = session_->run(line, source_, usual_arrival_ms);
    json expected{{"json", comparable(record)}, {"text", comparable_block(block)}};
    auto text = answer.text;
    if (!text.empty()) text.pop_back(); // the empty line between blocks
    json got{{"json", comparable(parsed(answer.document))}, {"text", comparable_block(text)}};
    return compare(expected, got);
  }

  void spoil(json& record) const override { record["location"] = "spoilt"; }

private:
  /// The file holds alerts only: what a composite counted may be missing.
  bool seen_before(const std::string& previous) const {
    for (std::size_t at = 0; at < previous.size();) {
      const auto end = std::min(previous.find('\n', at), previous.size());
      const auto line = previous.substr(at, end - at);
      if (seen_.count(line) == 0) return false;
      at = end + 1;
    }
    return true;
  }

  engine::source source_ = agent_source();
  std::optional<engine::logtest_session> session_;
  std::optional<text_blocks> blocks_;
  std::set<std::string> seen_;
};

} // namespace

std::unique_ptr<runner> make_alerts_runner() { return std::make_unique<alerts_runner>(); }
std::unique_ptr<runner> make_alerts_text_runner() { return std::make_unique<alerts_text_runner>(); }

} // namespace picket::conformance
