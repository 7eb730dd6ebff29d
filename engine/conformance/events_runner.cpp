// micro/events.jsonl: whole queue messages through the live path. Queues of the built-in decoders are not run
// here: their modules stand beside the engine's general path.
#include "engine/conformance/answers.hpp"
#include "engine/conformance/runners.hpp"
#include "engine/event/source.hpp"
#include "engine/testing/reference_ruleset.hpp"

#include <algorithm>
#include <map>
#include <optional>

namespace picket::conformance {
namespace {

/// One engine from its start, with the outputs of its last event.
struct live_engine {
  std::shared_ptr<const engine::ruleset> rules;
  engine::shard_state shard;
  engine::node_state node;
  engine::first_seen_in_memory first;
  engine::local_global_windows global;
  engine::engine_limits limits;
  engine::engine_counters counters;
  engine::scratch memory;
  engine::batch_out out;

  void run(const engine::source& from, std::string_view text) {
    std::string padded(text);
    padded.append(engine::arena::slack_bytes, '\0');
    engine::event_in in;
    in.source = &from;
    in.text = std::string_view(padded).substr(0, text.size());
    in.arrival_ms = usual_arrival_ms;
    engine::wanted_outputs outputs;
    outputs.alerts_text = outputs.archives_json = outputs.firewall_text = true;
    out.clear();
    engine::evaluate({&in, 1}, {*rules, shard, node, first, global, limits, counters, outputs}, memory, out);
  }
};

/// Addresses of the last keep-alive (README of the micro-cases).
const std::map<std::string, std::string> keepalive_addresses{
    {"001", "192.0.2.7"}, {"002", "192.0.2.8"}, {"003", "192.0.2.9"}};

/// `"site":lab` a line; `!` in front: hidden. In the order of the stored key, in which hidden ones come
/// first.
std::vector<engine::label> agent_labels(const std::string& text, bool show_hidden) {
  std::vector<engine::label> labels, hidden;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    const auto line = text.substr(at, end - at);
    at = end + 1;
    const auto open = line.find('"');
    const auto close = line.find("\":", open + 1);
    if (close == std::string::npos) continue;
    engine::label made;
    made.name = line.substr(open + 1, close - open - 1);
    made.value = line.substr(close + 2);
    made.hidden = line[0] == '!' && !show_hidden;
    (line[0] == '!' ? hidden : labels).push_back(made);
  }
  const auto by_name = [](const auto& a, const auto& b) { return a.name < b.name; };
  std::sort(hidden.begin(), hidden.end(), by_name);
  std::sort(labels.begin(), labels.end(), by_name);
  labels.insert(labels.begin(), hidden.begin(), hidden.end());
  return labels;
}

std::vector<engine::label> manager_labels(const std::string& text, bool show_hidden) {
  std::vector<engine::label> labels;
  const auto roots = engine::xml::read("labels", text);
  if (!roots || roots->empty()) return labels;
  for (const auto& element : (*roots)[0].children) {
    engine::label made;
    made.value = element.text;
    for (const auto& attribute : element.attributes) {
      if (attribute.name == "key") made.name = attribute.value;
      if (attribute.name == "hidden") made.hidden = attribute.value == "yes" && !show_hidden;
    }
    labels.push_back(made);
  }
  return labels;
}

std::string message_of(const json& from) {
  if (from.contains("message")) return from["message"];
  std::string location = from["location"];
  std::string escaped;
  for (const char c : location) {
    if (c == ':' || c == '|') escaped.push_back('|');
    escaped.push_back(c);
  }
  std::string tag;
  if (from.contains("agent") && from["agent"].is_object()) {
    const auto& agent = from["agent"];
    tag = "[" + agent["id"].get<std::string>() + "] (" + agent["name"].get<std::string>() + ") "
          + agent["ip"].get<std::string>() + "->";
  }
  return from["queue"].get<std::string>() + ":" + tag + escaped + ":" + from["event"].get<std::string>();
}

json comparable(json shown) {
  if (!shown.is_object()) return shown;
  for (const auto* member : {"timestamp", "id", "manager"})
    shown.erase(member);
  if (shown.contains("rule") && shown["rule"].contains("mitre")) {
    shown["rule"]["mitre"].erase("tactic");
    shown["rule"]["mitre"].erase("technique");
  }
  return shown;
}

/// A block of alerts.log as the records have it.
std::string comparable_text(std::string text) {
  const auto id = text.find("** Alert ");
  const auto colon = text.find(':');
  const auto line = text.find('\n');
  if (id != 0 || colon == std::string::npos || line == std::string::npos) return text;
  constexpr std::size_t date_bytes = 20; // "2026 Nov 24 13:46:46"
  text.replace(line + 1, date_bytes, "<date>");
  text.replace(9, colon - 9, "<id>");
  return text;
}

class events_runner : public runner {
public:
  std::string_view name() const override { return "events"; }
  std::filesystem::path file() const override { return "micro/events.jsonl"; }

  outcome run(const json& record, const context& where) override {
    const auto message = message_of(record);
    static const std::string built_in = "895pdfe3u";
    if (!message.empty() && built_in.find(message[0]) != std::string::npos)
      return not_run("queue of a built-in decoder");
    if (record.contains("ours_note"))
      return not_run("only the reference's answer is given, and it is a defect");
    live_engine engine;
    engine.rules = rules_for(record, where);
    if (!engine.rules) return {verdict::failed, "a rule set", "none"};
    for (const auto& prior : record.value("prior", json::array()))
      if (!prior.contains("wait")) send(engine, record, message_of(prior));
    const bool sent = send(engine, record, message);
    return judge(record["expected"], engine, sent);
  }

  void spoil(json& record) const override {
    auto& result = record["expected"]["result"];
    result = result == "none" ? "alert" : "none";
  }

private:
  static bool send(live_engine& engine, const json& record, const std::string& message) {
    engine.out.clear();
    const auto parts = engine::split_message(message);
    if (!parts) return false;
    auto from = engine::make_source(parts->location, "manager");
    if (!from) return false;
    const auto conf = record.value("conf", json::object());
    const bool show_hidden = conf.value("internal", "").find("show_hidden_labels=1") != std::string::npos;
    from->manager_name = "manager";
    const auto address = keepalive_addresses.find(from->agent_id);
    if (address != keepalive_addresses.end()) from->agent_ip = address->second;
    if (from->from_agent)
      from->labels = agent_labels(conf.value("agent_labels", ""), show_hidden);
    else
      from->labels = manager_labels(conf.value("manager_labels", ""), show_hidden);
    if (conf.value("cluster", false)) {
      from->cluster_name = "lab";
      from->node_name = "node01";
    }
    engine.run(*from, parts->text);
    return true;
  }

  static outcome judge(const json& expected, const live_engine& engine, bool sent) {
    const std::string wanted = expected["result"];
    const std::string came = !sent || (engine.out.json.empty() && engine.out.archive_json.empty()) ? "none"
                             : engine.out.json.empty()                                             ? "event"
                                                                                                   : "alert";
    json want{{"result", wanted}}, got{{"result", came}};
    if (expected.contains("alert")) {
      want["shown"] = comparable(expected["alert"]);
      got["shown"] = comparable(json::parse(engine.out.json, nullptr, false));
    } else if (expected.contains("archive")) {
      want["shown"] = comparable(expected["archive"]);
      got["shown"] = comparable(json::parse(engine.out.archive_json, nullptr, false));
    }
    if (expected.contains("text")) {
      want["text"] = expected["text"];
      got["text"] = comparable_text(engine.out.text);
    }
    if (expected.contains("archived")) {
      want["archived"] = expected["archived"];
      got["archived"] = !engine.out.archive_json.empty();
    }
    return compare(with_manager(want), got);
  }

  /// The manager's name in place of `<manager>`, everywhere.
  static json with_manager(json value) {
    if (value.is_string()) {
      auto text = value.get<std::string>();
      for (auto at = text.find("<manager>"); at != std::string::npos; at = text.find("<manager>"))
        text.replace(at, 9, "manager");
      return text;
    }
    if (value.is_structured())
      for (auto& each : value)
        each = with_manager(each);
    return value;
  }

  std::shared_ptr<const engine::ruleset> rules_for(const json& record, const context& where) {
    const std::string rules = record.value("local_rules", "");
    const std::string decoders = record.value("local_decoders", "");
    if (made_ && rules == rules_ && decoders == decoders_) return made_;
    if (files_.empty()) files_ = testing::reference_ruleset::files(where.data, false);
    auto files = files_;
    const auto add = [&](engine::file_kind kind, const char* name, const std::string& bytes) {
      if (bytes.empty()) return;
      engine::ruleset_file file;
      file.kind = kind;
      file.name = name;
      file.bytes = bytes;
      files.push_back(std::move(file));
    };
    add(engine::file_kind::technique, "techniques.tsv", technique_file());
    add(engine::file_kind::decoder, "etc/decoders/local_decoder.xml", decoders);
    add(engine::file_kind::rule, "etc/rules/local_rules.xml", rules);
    made_ = engine::compile(files).ruleset;
    rules_ = rules;
    decoders_ = decoders;
    return made_;
  }

  std::vector<engine::ruleset_file> files_;
  std::shared_ptr<const engine::ruleset> made_;
  std::string rules_, decoders_;
};

} // namespace

std::unique_ptr<runner> make_events_runner() { return std::make_unique<events_runner>(); }

} // namespace picket::conformance
