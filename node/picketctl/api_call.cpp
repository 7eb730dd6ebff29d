#include "node/picketctl/api_call.hpp"

#include <ostream>

#include <nlohmann/json.hpp>

#include "node/picketctl/target.hpp"
#include "node/picketctl/text_table.hpp"

namespace picket::ctl {

namespace {

std::string text_of(const json& object, const char* name) {
  auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

json parsed(const std::string& body) { return json::parse(body, nullptr, false); }

} // namespace

std::optional<error> problem_of(const api_answer& answer) {
  if (answer.status >= 200 && answer.status < 300) return std::nullopt;
  error why{errc::permission, {}, {}, {}};
  auto body = parsed(answer.body);
  if (body.is_object()) {
    why.what = text_of(body, "detail");
    if (why.what.empty()) why.what = text_of(body, "title");
    why.mend = text_of(body, "remediation");
  }
  if (why.what.empty()) why.what = "the node answered with HTTP status " + std::to_string(answer.status);
  if (answer.status == 401) why.mend = "give the node's token file with --config or --token-file";
  if (why.mend.empty()) why.mend = "HTTP status " + std::to_string(answer.status);
  why.what = printable(why.what);
  why.mend = printable(why.mend);
  return why;
}

exit_code exit_code_of_envelope(const json& body) {
  auto code = body.find("error");
  if (code == body.end() || !code->is_number_integer()) return exit_code::ok;
  switch (code->get<int>()) {
  case 0:
    return exit_code::ok;
  case 2:
    return exit_code::partial;
  default:
    return exit_code::no;
  }
}

std::string failed_items_text(const json& body) {
  std::string out;
  auto data = body.find("data");
  if (data == body.end() || !data->is_object()) return out;
  auto failed = data->find("failed_items");
  if (failed == data->end() || !failed->is_array()) return out;
  for (const auto& item : *failed) {
    if (!item.is_object() || !item.contains("id") || !item["id"].is_array()) continue;
    std::string ids;
    for (const auto& id : item["id"])
      if (id.is_string()) ids += (ids.empty() ? "" : ", ") + id.get<std::string>();
    auto why = item.contains("error") && item["error"].is_object() ? item["error"] : json::object();
    auto mend = text_of(why, "remediation");
    out += printable(ids + ": " + text_of(why, "message") + (mend.empty() ? "" : " (" + mend + ")")) + "\n";
  }
  return out;
}

tl::expected<api_answer, exit_code> ask(session& with, const api_request& request) {
  auto target = find_target(with);
  if (!target) return tl::unexpected(complain(with, target.error()));
  auto answer = send_request(*target, request);
  if (!answer) return tl::unexpected(complain(with, answer.error()));
  if (auto problem = problem_of(*answer)) {
    complain(with, *problem);
    return tl::unexpected(exit_code::refused);
  }
  return std::move(*answer);
}

tl::expected<json, exit_code> ask_json(session& with, const api_request& request) {
  auto answer = ask(with, request);
  if (!answer) return tl::unexpected(answer.error());
  auto body = parsed(answer->body);
  if (body.is_object()) return body;
  complain(with,
           {errc::io, "the answer is no JSON object", request.path, "is this the admin endpoint of Picket?"});
  return tl::unexpected(exit_code::unreachable);
}

exit_code finish_envelope(session& with, const json& body) {
  auto failed = failed_items_text(body);
  for (std::size_t from = 0; from < failed.size();) {
    auto end = failed.find('\n', from);
    with.err << "picketctl: " << failed.substr(from, end - from) << "\n";
    from = end + 1;
  }
  return exit_code_of_envelope(body);
}

std::string pretty(const json& value) {
  return value.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}
std::string to_line(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

} // namespace picket::ctl
