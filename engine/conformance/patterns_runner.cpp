#include "engine/conformance/runners.hpp"
#include "engine/match/pattern.hpp"

namespace picket::conformance {
namespace {

class patterns_runner : public runner {
public:
  std::string_view name() const override { return "patterns"; }
  std::filesystem::path file() const override { return "micro/patterns.jsonl"; }

  outcome run(const json& record, const context&) override {
    json expected = answer_of(record, record);
    json got = search(record, true);
    if (auto second = record.find("without_captures"); second != record.end()) {
      expected = {expected, answer_of(record, *second)};
      got = {got, search(record, false)};
    }
    return compare(expected, got);
  }

  void spoil(json& record) const override { record["match"] = !record["match"].get<bool>(); }

private:
  /// The members that both sides know.
  static json answer_of(const json& record, const json& from) {
    if (record["compiles"] == false) return {{"compiles", false}};
    json answer = {{"match", from["match"]}};
    if (from["match"] == false || record["language"] == "osmatch") return answer;
    if (from.contains("captures")) answer["captures"] = from["captures"];
    if (from.contains("r")) answer["r"] = from["r"];
    if (from.contains("rest_at") && !from["rest_at"].is_null()) answer["rest_at"] = from["rest_at"];
    if (from.contains("rest_at_nul")) answer["rest_at_nul"] = from["rest_at_nul"];
    return answer;
  }

  json search(const json& record, bool captures) {
    engine::language lang;
    if (!engine::parse_language(record["language"].get_ref<const std::string&>(), lang)) return "language";
    auto compiled =
        engine::pattern::compile(lang, record["pattern"].get_ref<const std::string&>(), {captures, false});
    if (!compiled) return {{"compiles", false}};
    const auto& input = record["input"].get_ref<const std::string&>();
    scratch_.budget = {};
    auto found = compiled->search(input, scratch_);
    json answer = {{"match", found.matched}};
    if (!found.matched || lang == engine::language::osmatch) return answer;
    if (captures) {
      answer["captures"] = json::array();
      for (auto capture : scratch_.captures)
        answer["captures"].push_back(std::string(capture));
    }
    auto rest_at = [&](char before) {
      return input.size() - engine::text_after(input, found.r, before).size();
    };
    answer["r"] = found.r;
    answer["rest_at"] = rest_at(' ');
    if (record.contains("rest_at_nul") && captures) answer["rest_at_nul"] = rest_at('\0');
    return answer;
  }

  engine::match_scratch scratch_;
};

} // namespace

std::unique_ptr<runner> make_patterns_runner() { return std::make_unique<patterns_runner>(); }

} // namespace picket::conformance
