// Lines through log-test sessions: expected/ruleset-cases.jsonl and expected/NAME_2k.*.jsonl.
#include "engine/conformance/answers.hpp"
#include "engine/conformance/runners.hpp"

#include <fstream>
#include <optional>

namespace picket::conformance {
namespace {

constexpr auto location = "stdin";

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t begin = 0;
  for (;;) {
    const auto end = text.find('\n', begin);
    lines.push_back(text.substr(begin, end - begin));
    if (end == std::string::npos) return lines;
    begin = end + 1;
  }
}

json run_line(engine::logtest_session& session, const std::string& line) {
  auto answer = session.run(line, location, usual_arrival_ms);
  return answer ? session_answer(*answer) : json("refused: " + to_string(answer.error()));
}

void spoil_answer(json& expected) { expected["rule"] = "999999"; }

class ruleset_cases_runner : public runner {
public:
  std::string_view name() const override { return "ruleset-cases"; }
  std::filesystem::path file() const override { return "expected/ruleset-cases.jsonl"; }

  outcome run(const json& record, const context& where) override {
    const auto rules = stock_ruleset(where, true);
    if (!rules) return {verdict::failed, "a rule set", "none"};
    engine::logtest_session session(rules, engine::analysis_path::logtest, "vm");
    json answer;
    const auto& event = record["event"];
    const auto lines = event.is_array() ? event.get<std::vector<std::string>>() : lines_of(event);
    for (const auto& line : lines)
      answer = run_line(session, line);
    return compare(session_expectation(record["reference"]), answer);
  }

  void spoil(json& record) const override { spoil_answer(record["reference"]); }
};

/// A loghub file: one session for all its lines, or one per line.
class loghub_runner : public runner {
public:
  loghub_runner(std::string log, bool stateful)
      : log_(std::move(log))
      , stateful_(stateful)
      , name_(log_ + (stateful ? ".stateful" : ".stateless")) {}

  std::string_view name() const override { return name_; }
  std::filesystem::path file() const override { return "expected/" + name_ + ".jsonl"; }

  outcome run(const json& record, const context& where) override {
    if (!lines_.is_open()) lines_.open(where.data / "loghub" / (log_ + ".log"));
    std::string line;
    const auto rules = stock_ruleset(where, false);
    if (!rules || !std::getline(lines_, line)) return {verdict::failed, "a rule set and a line", "none"};
    if (!session_ || !stateful_) session_.emplace(rules, engine::analysis_path::logtest, "vm");
    return compare(session_expectation(record), run_line(*session_, line));
  }

  void spoil(json& record) const override { spoil_answer(record); }

private:
  std::string log_;
  bool stateful_;
  std::string name_;
  std::ifstream lines_;
  std::optional<engine::logtest_session> session_;
};

} // namespace

std::unique_ptr<runner> make_ruleset_cases_runner() { return std::make_unique<ruleset_cases_runner>(); }

std::unique_ptr<runner> make_loghub_runner(std::string log, bool stateful) {
  return std::make_unique<loghub_runner>(std::move(log), stateful);
}

} // namespace picket::conformance
