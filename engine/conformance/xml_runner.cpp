#include "engine/conformance/runners.hpp"
#include "engine/xml/reader.hpp"

#include <algorithm>

namespace picket::conformance {
namespace {

json tree_of(const std::vector<engine::xml::element>& elements) {
  json tree = json::array();
  for (const auto& each : elements) {
    json attributes = json::array();
    for (const auto& attr : each.attributes)
      attributes.push_back({attr.name, attr.value});
    tree.push_back({{"name", each.name},
                    {"attributes", attributes},
                    {"text", each.text},
                    {"children", tree_of(each.children)}});
  }
  return tree;
}

std::size_t depth_of(const std::vector<engine::xml::element>& elements) {
  std::size_t depth = 0;
  for (const auto& each : elements)
    depth = std::max(depth, 1 + depth_of(each.children));
  return depth;
}

class xml_runner : public runner {
public:
  std::string_view name() const override { return "xml"; }
  std::filesystem::path file() const override { return "micro/xml.jsonl"; }

  outcome run(const json& record, const context&) override {
    json expected = {{"ok", record["ok"]}};
    for (const char* member : {"tree", "depth"})
      if (record["ok"] == true && record.contains(member)) expected[member] = record[member];
    if (record["ok"] == false && record.contains("stage")) expected["stage"] = record["stage"];
    return compare(expected, answer(record, expected.contains("depth")));
  }

  void spoil(json& record) const override { record["ok"] = !record["ok"].get<bool>(); }

private:
  static json answer(const json& record, bool depth_only) {
    auto roots = engine::xml::read("case.xml", record["xml"].get_ref<const std::string&>());
    if (!roots) return {{"ok", false}, {"stage", "syntax"}};
    if (record["kind"] == "variables") {
      if (!engine::xml::substitute_variables(*roots)) return {{"ok", false}, {"stage", "variables"}};
    }
    if (depth_only) return {{"ok", true}, {"depth", depth_of(*roots)}};
    return {{"ok", true}, {"tree", tree_of(*roots)}};
  }
};

} // namespace

std::unique_ptr<runner> make_xml_runner() { return std::make_unique<xml_runner>(); }

} // namespace picket::conformance
