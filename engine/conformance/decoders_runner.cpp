#include "engine/conformance/runners.hpp"
#include "engine/event/json.hpp"
#include "engine/event/predecode.hpp"
#include "engine/event/source.hpp"
#include "engine/load/decoders.hpp"
#include "engine/load/ruleset_block.hpp"
#include "engine/load/ruleset_files.hpp"
#include "engine/plain/decode.hpp"
#include "engine/state/accumulate.hpp"
#include "engine/text/fold.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>

namespace picket::conformance {
namespace {

using files = std::map<std::string, std::string>; ///< bytes by path

struct loaded {
  engine::decoder_tree decoders;
  engine::diagnostics findings;

  std::string verdict() const {
    if (engine::has_errors(findings)) return "error";
    bool warned = std::any_of(findings.begin(), findings.end(),
                              [](const auto& each) { return each.severity == engine::severity::warning; });
    return warned ? "warning" : "ok";
  }
};

void add_file(engine::decoder_loader& loader, const std::string& name, const std::string& bytes,
              engine::diagnostics& findings) {
  auto roots = engine::xml::read(name, bytes);
  if (!roots) {
    findings.push_back(roots.error());
    return;
  }
  if (auto done = engine::xml::substitute_variables(*roots); !done) {
    findings.push_back(done.error());
    return;
  }
  loader.add_file(name, *roots);
}

loaded finish(engine::decoder_loader& loader, engine::diagnostics findings) {
  loaded made;
  made.decoders = loader.finish();
  made.findings = loader.take_diagnostics();
  made.findings.insert(made.findings.end(), findings.begin(), findings.end());
  return made;
}

loaded load_in_order(const std::vector<std::pair<std::string, std::string>>& in_order) {
  engine::decoder_loader loader;
  engine::diagnostics findings;
  for (const auto& [name, bytes] : in_order)
    add_file(loader, name, bytes, findings);
  return finish(loader, std::move(findings));
}

loaded load_block(const std::string& block, const files& all) {
  engine::decoder_loader loader;
  engine::diagnostics findings;
  auto roots = engine::xml::read("ossec.conf", block);
  if (!roots) return {{}, {roots.error()}};
  auto list = [&](std::string directory) {
    while (!directory.empty() && directory.back() == '/')
      directory.pop_back();
    std::vector<std::string> names;
    for (const auto& [path, bytes] : all)
      if (path.substr(0, path.rfind('/')) == directory) names.push_back(path.substr(path.rfind('/') + 1));
    return names;
  };
  auto bytes_of = [&](std::string path) {
    for (auto twice = path.find("//"); twice != std::string::npos; twice = path.find("//"))
      path.erase(twice, 1);
    return all.find(path);
  };
  auto exists = [&](const std::string& path) { return bytes_of(path) != all.end(); };
  auto chosen = engine::select_ruleset_files(*roots, list, exists, findings);
  if (engine::has_errors(findings)) return {{}, std::move(findings)};
  for (const auto& path : chosen.decoders)
    add_file(loader, path, bytes_of(path)->second, findings);
  return finish(loader, std::move(findings));
}

std::string_view type_name(engine::event_type type) {
  static constexpr std::string_view names[] = {"syslog",  "firewall",         "ids",  "web-log", "squid",
                                               "windows", "host-information", "ossec"};
  return names[static_cast<std::size_t>(type)];
}

/// A value as alerts show it: text that is a complete JSON array becomes that array.
json shown(std::string_view value) {
  std::string text(value);
  if (value.substr(0, 1) != "[") return text;
  engine::arena memory;
  std::size_t end = 0;
  bool whole = engine::json::parse(value, memory, &end) && engine::json::is_white_space(value.substr(end));
  json parsed = whole ? json::parse(text, nullptr, false) : json(json::value_t::discarded);
  return parsed.is_discarded() ? json(text) : parsed;
}

json::iterator find_fold(json& object, std::string_view key) {
  auto member = object.begin();
  while (member != object.end() && !engine::equal_fold(member.key(), key))
    ++member;
  return member;
}

/// Nests at dots; a name that is taken, or lies below something that is no object, is lost (decoders.md 4.5).
void put(json& into, std::string_view name, std::string_view value) {
  auto dot = name.find('.');
  std::string key(name.substr(0, dot));
  auto taken = find_fold(into, key);
  if (dot == std::string_view::npos) {
    if (taken == into.end()) into[key] = shown(value);
    return;
  }
  if (taken == into.end()) {
    json fresh = json::object();
    put(fresh, name.substr(dot + 1), value);
    into[key] = std::move(fresh);
  } else if (taken->is_object()) {
    put(*taken, name.substr(dot + 1), value);
  }
}

json data_of(const engine::event& ev) {
  json data = json::object();
  for (std::size_t i = 0; i < engine::static_field_count; ++i) {
    auto field = static_cast<engine::static_field>(i);
    if (auto value = ev.get(field)) data[std::string(engine::name_of(field))] = std::string(*value);
  }
  for (const auto& [name, value] : ev.dynamics)
    if (!value.empty()) put(data, name, value);
  return data;
}

class decoders_runner : public runner {
public:
  std::string_view name() const override { return "decoders"; }
  std::filesystem::path file() const override { return "micro/decoders.jsonl"; }

  outcome run(const json& record, const context& where) override {
    const loaded& rules = load(record, where);
    std::string verdict = rules.verdict();
    if (record["load"] != verdict)
      return {verdict::failed, "load " + show(record["load"]),
              "load " + verdict + " " + first_finding(rules)};
    if (verdict == "error") return passed();
    engine::accumulator accumulator;
    for (const auto& prior : record.value("prior", json::array()))
      decode(prior, rules.decoders, accumulator, nullptr);
    const json& expected = record["expected"];
    return compare(without_rule(expected), decode(record, rules.decoders, accumulator, &expected));
  }

  void spoil(json& record) const override {
    if (record["load"] == "error")
      record["load"] = "ok";
    else
      record["expected"]["decoder"] = "spoilt";
  }

private:
  const loaded& load(const json& record, const context& where) {
    if (record.value("decoders", "") == "stock") {
      if (!stock_) stock_ = load_stock(where);
      return *stock_;
    }
    if (record.contains("files")) {
      case_ = load_block(record["ruleset"], record["files"].get<files>());
    } else {
      std::ifstream base(where.data / "micro/base-decoders.xml", std::ios::binary);
      case_ = load_in_order({{"0100-case.xml", record["decoders"]},
                             {"base-decoders.xml", std::string(std::istreambuf_iterator<char>(base), {})}});
    }
    return case_;
  }

  static loaded load_stock(const context& where) {
    auto read = engine::read_ruleset_directory(where.data / "wazuh-4.14.7");
    if (!read) return {{}, {{engine::severity::error, {}, -1, "files", to_string(read.error()), ""}}};
    std::vector<std::pair<std::string, std::string>> in_order;
    for (auto& each : *read)
      if (each.kind == engine::file_kind::decoder) in_order.emplace_back(each.name, std::move(each.bytes));
    return load_in_order(in_order);
  }

  static std::string first_finding(const loaded& rules) {
    return rules.findings.empty() ? "" : engine::to_string(rules.findings.front());
  }

  /// Rule and level of the stock records belong to the rule half.
  static json without_rule(json expected) {
    expected.erase("rule");
    expected.erase("level");
    return expected;
  }

  /// The members that `expected` gives.
  json decode(const json& input, const engine::decoder_tree& decoders, engine::accumulator& accumulator,
              const json* expected) {
    memory_.reset();
    scratch_.budget = {};
    auto source = engine::make_source(input.value("location", "stdin"), "manager");
    if (!source) return {{"dropped", true}};
    engine::event ev;
    ev.source = &*source;
    ev.full_log = input["log"].get_ref<const std::string&>();
    engine::predecode(ev);
    engine::decode(ev, decoders, scratch_, memory_);
    accumulator.apply(ev, 0, memory_);
    if (!expected) return {};
    return answer_of(ev, *expected);
  }

  static json answer_of(const engine::event& ev, const json& expected) {
    const engine::decoder* by = ev.decoder;
    json answer = {{"decoder", by ? json(by->name) : json(nullptr)},
                   {"parent", by && by->is_child ? json(by->parent) : json(nullptr)},
                   {"fields", data_of(ev)}};
    if (expected.contains("type")) answer["type"] = type_name(ev.type);
    if (by && by->accumulate) answer["accumulate"] = 1;
    if (by && !by->fts_comment.empty()) answer["ftscomment"] = by->fts_comment;
    if (expected.contains("texts")) {
      answer["texts"] = json::object();
      for (const auto& [name, text] : expected["texts"].items())
        if (auto value = ev.dynamic(name)) answer["texts"][name] = std::string(*value);
    }
    return answer;
  }

  engine::arena memory_;
  engine::match_scratch scratch_;
  loaded case_;
  std::optional<loaded> stock_;
};

} // namespace

std::unique_ptr<runner> make_decoders_runner() { return std::make_unique<decoders_runner>(); }

} // namespace picket::conformance
