#include "engine/conformance/runners.hpp"
#include "engine/event/predecode.hpp"
#include "engine/event/source.hpp"

namespace picket::conformance {
namespace {

json text_or_null(const std::optional<std::string_view>& text) {
  return text ? json(std::string(*text)) : json(nullptr);
}

class predecode_runner : public runner {
public:
  std::string_view name() const override { return "predecode"; }
  std::filesystem::path file() const override { return "micro/predecode.jsonl"; }

  outcome run(const json& record, const context&) override {
    json got = answer(record);
    json expected = json::object();
    for (const char* member : {"dropped", "program_name", "hostname", "timestamp", "log", "full_log",
                               "alert_hostname", "agent", "alert_location"})
      if (record.contains(member)) expected[member] = record[member];
    // Only what the record gives counts.
    for (auto member = got.begin(); member != got.end();)
      member = expected.contains(member.key()) ? std::next(member) : got.erase(member);
    return compare(expected, got);
  }

  void spoil(json& record) const override { record["log"] = "spoilt"; }

private:
  static json answer(const json& record) {
    const json dropped = {{"dropped", true}};
    std::string location = record.value("location", "stdin");
    std::string_view text;
    if (record.contains("message")) {
      auto split = engine::split_message(record["message"].get_ref<const std::string&>());
      if (!split) return dropped;
      location = split->location;
      text = split->text;
    } else {
      text = record["line"].get_ref<const std::string&>();
    }
    auto parts = engine::split_location(location);
    auto source = engine::make_source(location, manager_name);
    if (!parts || !source) return dropped;
    engine::event ev;
    ev.source = &*source;
    ev.full_log = text;
    engine::predecode(ev);
    return answer_of(ev, *parts);
  }

  static json answer_of(const engine::event& ev, const engine::location_parts& parts) {
    json hostname = std::string(ev.hostname);
    if (hostname == manager_name) hostname = nullptr;
    json agent = {{"id", parts.agent_id}};
    if (parts.agent_name)
      agent["name"] = *parts.agent_name;
    else if (parts.named_by_host)
      agent["name"] = hostname;
    else if (!parts.from_agent)
      agent["name"] = nullptr;
    if (parts.agent_ip) agent["ip"] = *parts.agent_ip;
    return {{"program_name", text_or_null(ev.program_name)},
            {"hostname", hostname},
            {"timestamp", text_or_null(ev.timestamp)},
            {"log", std::string(ev.log)},
            {"full_log", std::string(ev.full_log)},
            {"alert_hostname", text_or_null(engine::alert_hostname(ev.full_log))},
            {"agent", agent},
            {"alert_location", parts.alert_location ? json(*parts.alert_location) : json(nullptr)}};
  }

  /// No log of the records names this host.
  static constexpr const char* manager_name = "the-manager-of-conformance";
};

} // namespace

std::unique_ptr<runner> make_predecode_runner() { return std::make_unique<predecode_runner>(); }

} // namespace picket::conformance
