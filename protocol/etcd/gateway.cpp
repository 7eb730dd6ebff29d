#include "protocol/etcd/gateway.hpp"

#include <nlohmann/json.hpp>

#include "protocol/etcd/base64.hpp"

namespace picket::protocol::etcd {

using nlohmann::json;

namespace {

constexpr std::size_t longest_message = 256;

std::string text_of(std::uint64_t number) { return std::to_string(number); }

std::optional<std::uint64_t> number_of_text(const std::string& text) {
  if (text.empty() || text.size() > 20) return std::nullopt;
  std::uint64_t number = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    auto digit = static_cast<std::uint64_t>(c - '0');
    if (number > (UINT64_MAX - digit) / 10) return std::nullopt;
    number = number * 10 + digit;
  }
  return number;
}

/// Reads fields of one object; remembers the first that is wrong. An absent one keeps its default.
class fields {
public:
  explicit fields(const json& from)
      : from_{from} {
    if (!from.is_object()) fault_ = "is no object";
  }
  const json& whole() const noexcept { return from_; }
  const json* find(const char* key) const {
    if (!from_.is_object()) return nullptr;
    auto found = from_.find(key);
    return found == from_.end() || found->is_null() ? nullptr : &*found;
  }
  void read(const char* key, std::uint64_t& to) {
    const auto* value = find(key);
    if (value == nullptr) return;
    auto number = value->is_number_unsigned() ? std::optional{value->get<std::uint64_t>()}
                  : value->is_string()        ? number_of_text(value->get_ref<const std::string&>())
                                              : std::nullopt;
    if (number)
      to = *number;
    else
      complain(key);
  }
  void read(const char* key, bool& to) {
    const auto* value = find(key);
    if (value == nullptr) return;
    if (value->is_boolean())
      to = value->get<bool>();
    else
      complain(key);
  }
  void read_bytes(const char* key, std::string& to) {
    const auto* value = find(key);
    if (value == nullptr) return;
    auto bytes = value->is_string() ? decode_base64(value->get_ref<const std::string&>()) : std::nullopt;
    if (bytes)
      to = std::move(*bytes);
    else
      complain(key);
  }
  void complain(const char* key) {
    if (fault_.empty()) fault_ = std::string{"field '"} + key + "' does not read";
  }
  void take(const fields& inner) {
    if (fault_.empty()) fault_ = inner.fault_;
  }
  bool good() const noexcept { return fault_.empty(); }
  const std::string& fault() const noexcept { return fault_; }

private:
  const json& from_;
  std::string fault_;
};

void read_header(fields& from, header& to) {
  const auto* value = from.find("header");
  if (value == nullptr) return;
  fields inner{*value};
  inner.read("cluster_id", to.cluster);
  inner.read("member_id", to.member);
  inner.read("revision", to.revision);
  from.take(inner);
}

key_value read_key_value(fields& from, const json& value) {
  key_value row;
  fields inner{value};
  inner.read_bytes("key", row.key);
  inner.read_bytes("value", row.value);
  inner.read("mod_revision", row.revision);
  from.take(inner);
  return row;
}

void read_rows(fields& from, std::vector<key_value>& to) {
  const auto* rows = from.find("kvs");
  if (rows == nullptr) return;
  if (!rows->is_array()) return from.complain("kvs");
  for (const auto& row : *rows)
    to.push_back(read_key_value(from, row));
}

/// The guard's row, which the failure branch reads.
void read_guard(fields& from, std::optional<key_value>& to) {
  const auto* answers = from.find("responses");
  if (answers == nullptr) return;
  if (!answers->is_array()) return from.complain("responses");
  for (const auto& answer : *answers) {
    fields inner{answer};
    if (const auto* range = inner.find("response_range")) {
      fields found{*range};
      std::vector<key_value> rows;
      read_rows(found, rows);
      inner.take(found);
      if (!rows.empty()) to = std::move(rows.front());
    }
    from.take(inner);
  }
}

void read_events(fields& from, std::vector<event>& to) {
  const auto* events = from.find("events");
  if (events == nullptr) return;
  if (!events->is_array()) return from.complain("events");
  for (const auto& one : *events) {
    fields inner{one};
    const auto* value = inner.find("kv");
    if (value == nullptr) return from.complain("kv");
    auto row = read_key_value(inner, *value);
    const auto* type = inner.find("type");
    bool removed = type != nullptr && *type == "DELETE";
    if (type != nullptr && !removed && *type != "PUT") inner.complain("type");
    if (!to.empty() && row.revision < to.back().revision) inner.complain("mod_revision");
    to.push_back(
        {std::move(row.key), removed ? std::nullopt : std::optional{std::move(row.value)}, row.revision});
    from.take(inner);
  }
}

failure read_failure(const json& from) {
  failure out;
  fields inner{from};
  std::uint64_t code = 0;
  for (const char* key : {"code", "grpc_code"})
    inner.read(key, code);
  out.code = code > UINT32_MAX ? 0 : static_cast<std::uint32_t>(code);
  for (const char* key : {"error", "message"})
    if (const auto* text = inner.find(key); text != nullptr && text->is_string())
      out.message = text->get_ref<const std::string&>().substr(0, longest_message);
  return out;
}

/// Parses and reads one answer. The library throws on nothing that `parse` was told not to.
template <class Answer, class Fill>
result<Answer> decode(std::string_view body, Fill fill) noexcept {
  try {
    auto tree = json::parse(body, nullptr, false);
    if (tree.is_discarded()) return fail(errc::corrupt, "an answer that is no JSON", "etcd");
    Answer answer;
    fields from{tree};
    fill(from, answer);
    if (!from.good()) return fail(errc::corrupt, "an answer that does not read: " + from.fault(), "etcd");
    return answer;
  } catch (const std::exception& fault) { // memory; JSON's own faults are values here
    return fail(errc::corrupt, std::string{"an answer that cannot be read: "} + fault.what(), "etcd");
  }
}

} // namespace

std::string encode(const transaction& what) {
  auto key = encode_base64(what.guard);
  json compare = json::array();
  compare.push_back(
      {{"key", key}, {"target", "MOD"}, {"result", "EQUAL"}, {"mod_revision", text_of(what.guard_revision)}});
  if (what.guard_revision != 0)
    compare.push_back(
        {{"key", key}, {"target", "VALUE"}, {"result", "EQUAL"}, {"value", encode_base64(what.guard_value)}});
  json success = json::array();
  for (const auto& one : what.operations) {
    json body{{"key", encode_base64(one.key)}};
    if (one.value) body["value"] = encode_base64(*one.value);
    if (!one.end.empty()) body["range_end"] = encode_base64(one.end);
    success.push_back({{one.value ? "request_put" : "request_delete_range", std::move(body)}});
  }
  json failed = json::array();
  failed.push_back({{"request_range", {{"key", key}}}});
  return json{
      {"compare", std::move(compare)}, {"success", std::move(success)}, {"failure", std::move(failed)}}
      .dump();
}

result<transaction_answer> decode_transaction_answer(std::string_view body) noexcept {
  return decode<transaction_answer>(body, [](fields& from, transaction_answer& answer) {
    read_header(from, answer.from);
    from.read("succeeded", answer.succeeded);
    read_guard(from, answer.guard);
  });
}

std::string encode(const range_request& what) {
  json body{{"key", encode_base64(what.key)}};
  if (!what.end.empty()) body["range_end"] = encode_base64(what.end);
  if (what.limit != 0) body["limit"] = text_of(what.limit);
  if (what.revision != 0) body["revision"] = text_of(what.revision);
  return body.dump();
}

result<range_answer> decode_range_answer(std::string_view body) noexcept {
  return decode<range_answer>(body, [](fields& from, range_answer& answer) {
    read_header(from, answer.from);
    read_rows(from, answer.rows);
    from.read("more", answer.more);
  });
}

std::string encode(const watch_request& what) {
  json create{{"key", encode_base64(what.key)}, {"start_revision", text_of(what.from)}};
  if (!what.end.empty()) create["range_end"] = encode_base64(what.end);
  return json{{"create_request", std::move(create)}}.dump();
}

result<watch_message> decode_watch_message(std::string_view line) noexcept {
  return decode<watch_message>(line, [](fields& from, watch_message& message) {
    if (const auto* failed = from.find("error")) {
      message.failed = read_failure(*failed);
      return;
    }
    const auto* value = from.find("result");
    if (value == nullptr) return from.complain("result");
    fields inner{*value};
    read_header(inner, message.from);
    inner.read("created", message.created);
    inner.read("canceled", message.canceled);
    inner.read("compact_revision", message.compacted);
    read_events(inner, message.events);
    from.take(inner);
  });
}

failure decode_failure(std::string_view body) noexcept {
  auto read = decode<failure>(body, [](fields& from, failure& out) {
    const auto* nested = from.find("error");
    out = read_failure(nested != nullptr && nested->is_object() ? *nested : from.whole());
  });
  if (read) return *read;
  return {0, std::string{body.substr(0, longest_message)}};
}

std::string end_of_prefix(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xff)
    prefix.pop_back();
  if (prefix.empty()) return std::string(1, '\0'); // etcd's way to say: to the end
  prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

} // namespace picket::protocol::etcd
