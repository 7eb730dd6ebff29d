#include "engine/conformance/runners.hpp"
#include "engine/event/json_fields.hpp"
#include "engine/load/lists.hpp"
#include "engine/match/pattern.hpp"

#include <optional>

namespace picket::conformance {
namespace {

class lists_runner : public runner {
public:
  std::string_view name() const override { return "lists"; }
  std::filesystem::path file() const override { return "micro/lists.jsonl"; }

  outcome run(const json& record, const context&) override {
    if (record["kind"] == "source") return compare(record["entries"], entries(record));
    return compare(record["result"], holds(record));
  }

  void spoil(json& record) const override {
    if (record["kind"] == "source")
      record["entries"].push_back({"spoilt", ""});
    else
      record["result"] = !record["result"].get<bool>();
  }

private:
  static engine::cdb_list parse(const json& text) {
    engine::diagnostics findings;
    return engine::cdb_list::parse("case", text.get_ref<const std::string&>(), findings);
  }

  static json entries(const json& record) {
    json all = json::array();
    auto list = parse(record["text"]);
    for (const auto& [key, value] : list.entries())
      all.push_back({key, value});
    return all;
  }

  json holds(const json& record) {
    memory_.reset();
    engine::event ev;
    std::string fields = record["fields"].dump();
    engine::decode_json(ev, fields, {}, memory_);
    auto value = value_of(ev, record["field"].get_ref<const std::string&>());
    if (!value) return false;
    auto lookup = engine::parse_list_lookup(record["lookup"].get_ref<const std::string&>());
    if (!lookup) return "no such look-up";
    std::optional<engine::pattern> check;
    if (!record["check_value"].is_null()) {
      auto compiled = engine::pattern::compile(engine::language::osmatch,
                                               record["check_value"].get_ref<const std::string&>(), {});
      if (!compiled) return compiled.error();
      check = std::move(*compiled);
    }
    return parse(record["list"]).holds(*lookup, *value, check ? &*check : nullptr, scratch_);
  }

  /// `user` of a list is srcuser, else dstuser (decoders.md 5.4).
  static std::optional<std::string_view> value_of(const engine::event& ev, const std::string& field) {
    if (field == "user") {
      auto source = ev.get(engine::static_field::srcuser);
      return source ? source : ev.get(engine::static_field::dstuser);
    }
    if (auto known = engine::static_field_of(field)) return ev.get(*known);
    return ev.dynamic(field);
  }

  engine::arena memory_;
  engine::match_scratch scratch_;
};

} // namespace

std::unique_ptr<runner> make_lists_runner() { return std::make_unique<lists_runner>(); }

} // namespace picket::conformance
