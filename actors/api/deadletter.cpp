#include "actors/api/agent_json.hpp"
#include "actors/api/envelope.hpp"
#include "actors/api/handlers.hpp"
#include "actors/api/problem.hpp"

namespace picket::api {

namespace {

json head_object(const store::letter_summary& letter) {
  const auto& head = letter.head;
  return {{"id", head.id},
          {"agent", to_text(head.agent)},
          {"agent_name", head.agent_name},
          {"arrived", iso_time(head.arrival_ms)},
          {"kept", iso_time(head.kept_ms)},
          {"reason", head.reason},
          {"examined", head.examined},
          {"seen_again", letter.seen_again},
          {"bytes", head.text_bytes}};
}

struct letter_handlers {
  node_facade& node;

  http_response list(const http_request& request) const {
    auto page = page_of(request);
    if (!page) return problem(page.error());
    std::size_t total = 0;
    json items = json::array();
    for (const auto& letter : node.letters().letters().list(page->offset, page->limit, total))
      items.push_back(head_object(letter));
    return envelope(std::move(items), total, {}, "All dead letters were returned", "", "");
  }

  http_response show(const std::string& id) const {
    const auto& letters = node.letters().letters();
    auto letter = letters.read(id);
    auto summary = letters.find(id);
    if (!letter || !summary) {
      auto why = letter ? error{errc::letter_unknown, "it was removed meanwhile", {}, {}} : letter.error();
      return envelope(json::array(), 0, {{id, why}}, "", "", "No dead letter was returned");
    }
    auto body = head_object(*summary);
    body["node"] = letter->head.node;
    body["batch"] = letter->head.batch.sequence;
    body["record"] = letter->head.record;
    body["location"] = letter->location;
    body["text"] = letter->text;
    body["form"] = letter->form == store::letter_form::sealed ? "sealed" : "message";
    body["data"] = to_hex(as_bytes(letter->bytes));
    return envelope(json::array({std::move(body)}), 1, {}, "The dead letter was returned", "", "");
  }

  /// Does something with each letter that the request names; "all" are those that are there now.
  http_response each(const http_request& request, const std::function<result<void>(const std::string&)>& act,
                     const std::string& done) const {
    auto ids = split_list(parameter(request, "letters_list"));
    if (ids.empty())
      return problem(
          error{errc::invalid_argument, "'letters_list' is missing", {}, "Name the letters, or 'all'."});
    if (ids == std::vector<std::string>{"all"}) ids = node.letters().letters().ids();
    json changed = json::array();
    std::vector<failed_item> failed;
    for (const auto& id : ids) {
      if (auto did = act(id); did)
        changed.push_back(id);
      else
        failed.push_back({id, did.error()});
    }
    auto total = changed.size();
    return envelope(std::move(changed), total, failed, "All selected dead letters were " + done,
                    "Some dead letters were not " + done, "No dead letter was " + done);
  }
};

} // namespace

void add_deadletter_routes(router& table, node_facade& node) {
  letter_handlers handlers{node};
  table.add({"GET",
             "/picket/deadletter",
             {"offset", "limit"},
             [handlers](const http_request& request, const path_parts&) { return handlers.list(request); }});
  table.add({"GET", "/picket/deadletter/{id}", {}, [handlers](const http_request&, const path_parts& parts) {
               return handlers.show(parts[0]);
             }});
  table.add({"PUT",
             "/picket/deadletter/retry",
             {"letters_list"},
             [handlers, &node](const http_request& request, const path_parts&) {
               return handlers.each(
                   request, [&node](const std::string& id) { return node.letters().retry(id); }, "sent on");
             }});
  table.add({"DELETE",
             "/picket/deadletter",
             {"letters_list"},
             [handlers, &node](const http_request& request, const path_parts&) {
               return handlers.each(
                   request, [&node](const std::string& id) { return node.letters().drop(id); }, "dropped");
             }});
}

} // namespace picket::api
