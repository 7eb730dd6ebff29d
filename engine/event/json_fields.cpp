#include "engine/event/json_fields.hpp"

#include "engine/event/json.hpp"

#include <optional>
#include <string>

namespace picket::engine {

namespace {

constexpr std::size_t csv_bytes_max = 65'535;

class walker {
public:
  walker(event& ev, const json_options& options, arena& memory, json_result& result)
      : ev_(ev)
      , options_(options)
      , memory_(memory)
      , result_(result) {}

  void object(const json::value& from) {
    for (const json::value* each = from.first; each; each = each->next) {
      auto length = path_.size();
      if (in_object_) path_.push_back('.');
      path_.append(each->key);
      bool outer = in_object_;
      in_object_ = true;
      member(*each);
      in_object_ = outer;
      path_.resize(length);
    }
  }

private:
  void member(const json::value& from) {
    if (from.kind == json::kind::object) {
      object(from);
      return;
    }
    if (from.kind == json::kind::null && options_.null_discard) return;
    auto known = static_name();
    if (!known && ev_.dynamics.size() >= options_.dynamic_fields_max) {
      ++result_.fields_dropped;
      return;
    }
    auto text = text_of(from);
    if (!text) return;
    if (known)
      ev_.set(*known, *text);
    else
      ev_.dynamics.push_back({memory_.copy(path_), *text});
  }

  /// Which static field the complete path names, if any.
  std::optional<static_field> static_name() const {
    if (path_ == "systemname") return static_field::system_name;
    if (path_ == "system_name") return std::nullopt;
    if (path_ == "user") {
      auto user = ev_.get(static_field::dstuser);
      if (!user || user->empty()) return static_field::dstuser;
      return std::nullopt;
    }
    return static_field_of(path_);
  }

  std::optional<std::string_view> text_of(const json::value& from) {
    switch (from.kind) {
    case json::kind::null:
      return "null";
    case json::kind::boolean_false:
      return "false";
    case json::kind::boolean_true:
      return "true";
    case json::kind::number:
      return memory_.copy(json::number_text(from.number));
    case json::kind::string:
      return from.text;
    case json::kind::array:
      return options_.array_csv ? csv(from) : printed(from);
    case json::kind::object:
      break;
    }
    return std::nullopt;
  }

  std::optional<std::string_view> printed(const json::value& from) {
    std::string text;
    if (!json::print(from, text, options_.computed_bytes_max - computed_)) {
      ++result_.texts_dropped;
      return std::nullopt;
    }
    computed_ += text.size();
    return memory_.copy(text);
  }

  std::optional<std::string_view> csv(const json::value& from) {
    std::string text;
    for (const json::value* each = from.first; each && text.size() <= csv_bytes_max; each = each->next) {
      if (each->kind == json::kind::array || each->kind == json::kind::object) continue; // its comma as well
      bool whole = true;
      text += each->kind == json::kind::number ? json::number_text(each->number, &whole) : *text_of(*each);
      if (!whole) break;
      if (each->next) text += ',';
    }
    if (text.empty() || text.size() > csv_bytes_max) return std::nullopt;
    return memory_.copy(text);
  }

  event& ev_;
  const json_options& options_;
  arena& memory_;
  json_result& result_;
  std::string path_;
  bool in_object_ = false; ///< the path has a part already
  std::size_t computed_ = 0;
};

} // namespace

json_result decode_json(event& ev, std::string_view text, const json_options& options, arena& memory) {
  json_result result;
  const json::value* root = json::parse(text, memory);
  if (!root) return result;
  result.parsed = true;
  if (root->kind == json::kind::object) walker(ev, options, memory, result).object(*root);
  return result;
}

} // namespace picket::engine
