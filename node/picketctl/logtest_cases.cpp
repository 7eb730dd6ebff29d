#include "node/picketctl/logtest_cases.hpp"

#include "node/picketctl/logtest_view.hpp"
#include "node/picketctl/text_table.hpp"

namespace picket::ctl {

namespace {

std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t from = 0;;) {
    auto end = text.find('\n', from);
    lines.push_back(text.substr(from, end - from));
    if (end == std::string::npos) return lines;
    from = end + 1;
  }
}

tl::unexpected<error> no_case(const std::string& what) {
  return fail(errc::invalid_argument, what, {},
              R"(write {"event": "a log line", "expected": {"rule": "5710", "alert": true}})");
}

/// Rules are named by text or number; ids of techniques stand alone or with names.
json normal(const std::string& name, const json& value) {
  if (name == "rule" && value.is_number_integer()) return std::to_string(value.get<std::int64_t>());
  if (name == "mitre" && value.is_object()) return value.value("id", json(nullptr));
  return value;
}

std::string shown(const json& value) {
  return printable(value.dump(-1, ' ', false, json::error_handler_t::replace));
}

/// Equal without regard to the order of members.
bool equal(const json& one, const json& other) { return nlohmann::json(one) == nlohmann::json(other); }

} // namespace

result<logtest_case> read_case(const std::string& line) {
  auto record = json::parse(line, nullptr, false);
  if (!record.is_object()) return no_case("this is no JSON object");
  logtest_case made;
  auto event = record.find("event");
  if (event == record.end()) return no_case("the record has no 'event'");
  if (event->is_string()) made.lines = split_lines(event->get<std::string>());
  if (event->is_array())
    for (const auto& each : *event) {
      if (!each.is_string()) return no_case("'event' holds something that is no text");
      made.lines.push_back(each.get<std::string>());
    }
  if (made.lines.empty()) return no_case("'event' must be a text or a list of texts");
  for (const char* name : {"reference", "expected"})
    if (auto found = record.find(name); found != record.end()) made.expected = *found;
  if (!made.expected.is_object()) return no_case("the record has no object 'reference' or 'expected'");
  for (const char* name : {"file", "section", "case", "name"})
    if (auto found = record.find(name); found != record.end() && found->is_string())
      made.name += (made.name.empty() ? "" : ", ") + found->get<std::string>();
  return made;
}

json observed(const engine::logtest_answer& answer) {
  auto full = answer_json(answer, false);
  json out{{"decoder", nullptr}, {"parent", nullptr},      {"rule", nullptr},
           {"level", nullptr},   {"description", nullptr}, {"groups", nullptr}};
  if (answer.decoder) out["decoder"] = *answer.decoder;
  if (answer.parent) out["parent"] = *answer.parent;
  out["fields"] = full["data"];
  out["predecoder"] = full["predecoder"];
  out["alert"] = answer.alert;
  if (!answer.rule) return out;
  for (const auto& [name, value] : full["rule"].items())
    out[name == "id" ? "rule" : name] = value;
  return out;
}

std::vector<std::string> differences(const json& expected, const json& got) {
  std::vector<std::string> found;
  for (const auto& [name, value] : expected.items()) {
    if (name == "n") continue;
    auto at = got.find(name);
    auto wanted = normal(name, value);
    if (at == got.end())
      found.push_back(printable(name) + ": expected " + shown(wanted) + ", got nothing");
    else if (auto had = normal(name, *at); !equal(wanted, had))
      found.push_back(printable(name) + ": expected " + shown(wanted) + ", got " + shown(had));
  }
  return found;
}

} // namespace picket::ctl
