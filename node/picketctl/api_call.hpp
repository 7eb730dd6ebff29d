#pragma once

#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "node/picketctl/http_client.hpp"
#include "node/picketctl/session.hpp"

namespace picket::ctl {

using json = nlohmann::ordered_json;

/// What an answer that is no success says: detail and remediation of the API's error format.
std::optional<error> problem_of(const api_answer& answer);

/// Exit code of a collection envelope: done, nothing done, some done.
exit_code exit_code_of_envelope(const json& body);

/// The items that could not be served, a line each: "001, 002: Agent does not exist (List the agents …)".
std::string failed_items_text(const json& body);

/// Sends a request and writes what goes wrong to the session's error stream.
tl::expected<api_answer, exit_code> ask(session& with, const api_request& request);
/// The same, with the answer's body as a JSON object.
tl::expected<json, exit_code> ask_json(session& with, const api_request& request);

/// The last part of most commands: failed items to the error stream, the code of the envelope.
exit_code finish_envelope(session& with, const json& body);

/// JSON for `--json`, indented, bytes that are no UTF-8 replaced.
std::string pretty(const json& value);
/// JSON on one line.
std::string to_line(const json& value);

} // namespace picket::ctl
