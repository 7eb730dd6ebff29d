#include "engine/load/decoder_element.hpp"

#include "engine/text/fold.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace picket::engine {

namespace {

constexpr std::size_t text_bytes_max = 1023; // decoders.md 4.11

constexpr std::array<std::string_view, 13> element_names = {
    "parent",          "program_name",         "prematch",     "regex", "order", "plugin_decoder",
    "json_null_field", "json_array_structure", "use_own_name", "type",  "fts",   "ftscomment",
    "accumulate"};

constexpr std::array<std::pair<std::string_view, event_type>, 8> types = {
    {{"syslog", event_type::syslog},
     {"firewall", event_type::firewall},
     {"ids", event_type::ids},
     {"web-log", event_type::web_log},
     {"squid", event_type::squid},
     {"windows", event_type::windows},
     {"host-information", event_type::host_information},
     {"ossec", event_type::ossec}}};

constexpr std::array<std::pair<std::string_view, plugin_kind>, 5> plugins = {
    {{"JSON_Decoder", plugin_kind::json},
     {"PF_Decoder", plugin_kind::pf},
     {"SymantecWS_Decoder", plugin_kind::symantec_ws},
     {"SonicWall_Decoder", plugin_kind::sonicwall},
     {"OSSECAlert_Decoder", plugin_kind::ossec_alert}}};

constexpr std::array<std::pair<std::string_view, offset_kind>, 3> offsets = {
    {{"after_parent", offset_kind::after_parent},
     {"after_prematch", offset_kind::after_prematch},
     {"after_regex", offset_kind::after_regex}}};

template <class Table>
std::string names_in(const Table& table) {
  std::string text;
  for (const auto& [name, value] : table)
    text += (text.empty() ? "" : ", ") + std::string(name);
  return text;
}

/// A text that several elements of one name build together.
struct joined_text {
  bool present = false;
  std::string text;
  language lang = language::osregex;
  engine::place place;
};

class decoder_reader {
public:
  decoder_reader(const xml::element& from, std::size_t order_size, diagnostics& out)
      : from_(from)
      , order_size_(order_size)
      , out_(out)
      , made_(std::make_unique<decoder>()) {}

  std::unique_ptr<decoder> run() {
    made_->place = from_.place;
    attributes();
    if (from_.children.empty())
      error(from_.place, "no-elements", "the decoder has no elements",
            "give it a 'prematch', 'program_name' or 'parent'");
    for (const auto& each : from_.children)
      element(each);
    if (!from_.children.empty()) checks();
    if (!failed_) compile();
    return failed_ ? nullptr : std::move(made_);
  }

  const std::string& declared_name() const { return made_->declared_name; }

private:
  std::string who() const { return "decoder '" + made_->declared_name + "': "; }
  void report(severity how, const place& where, const char* code, const std::string& text, std::string hint) {
    out_.push_back({how, where, -1, code, who() + text, std::move(hint)});
  }
  void error(const place& where, const char* code, const std::string& text, std::string hint) {
    report(severity::error, where, code, text, std::move(hint));
    failed_ = true;
  }
  void warning(const place& where, const char* code, const std::string& text, std::string hint) {
    report(severity::warning, where, code, text, std::move(hint));
  }
  void note(const place& where, const char* code, const std::string& text, std::string hint) {
    report(severity::note, where, code, text, std::move(hint));
  }

  void attributes() {
    const auto& given = from_.attributes;
    if (!given.empty() && equal_fold(given[0].name, "name"))
      made_->name = made_->declared_name = given[0].value;
    else
      error(given.empty() ? from_.place : given[0].place, "decoder-attributes",
            "the first attribute must be 'name'", "write <decoder name=\"NAME\">");
    if (given.size() > 1 && !equal_fold(given[1].name, "status"))
      error(given[1].place, "decoder-attributes", "unknown attribute '" + given[1].name + "'",
            "behind 'name' there can only be 'status'");
    if (given.size() > 2)
      error(given[2].place, "decoder-attributes", "more than two attributes",
            "remove '" + given[2].name + "'");
  }

  void element(const xml::element& each) {
    using reader = void (decoder_reader::*)(const xml::element&);
    static const std::map<std::string_view, reader> readers = {
        {"parent", &decoder_reader::read_parent},
        {"program_name", &decoder_reader::read_program_name},
        {"prematch", &decoder_reader::read_prematch},
        {"regex", &decoder_reader::read_regex},
        {"order", &decoder_reader::read_order},
        {"plugin_decoder", &decoder_reader::read_plugin},
        {"json_null_field", &decoder_reader::read_json_null_field},
        {"json_array_structure", &decoder_reader::read_json_array_structure},
        {"use_own_name", &decoder_reader::read_use_own_name},
        {"type", &decoder_reader::read_type},
        {"fts", &decoder_reader::read_fts},
        {"ftscomment", &decoder_reader::read_fts_comment},
        {"accumulate", &decoder_reader::read_accumulate}};
    auto found = readers.find(folded(each.name));
    if (found == readers.end() || (found->first == "type" && each.name != "type")) {
      auto near = nearest(each.name, element_names);
      error(each.place, "unknown-element", "unknown element '" + each.name + "'",
            near.empty() ? "see the manual for the elements of a decoder"
                         : "did you mean '" + std::string(near) + "'?");
      return;
    }
    if (!each.children.empty())
      note(each.children.front().place, "ignored-element", "elements inside '" + each.name + "' are ignored",
           "remove them");
    (this->*found->second)(each);
  }

  // --- texts that are joined

  bool join(joined_text& into, const xml::element& each) {
    if (!into.present) into.place = each.place;
    into.present = true;
    into.text += each.text;
    if (into.text.size() <= text_bytes_max) return true;
    error(each.place, "too-long", "'" + each.name + "' is longer than 1023 bytes",
          "shorten it, or use several decoders");
    into.text.resize(text_bytes_max);
    return false;
  }

  const xml::attribute* attribute(const xml::element& each, std::string_view name) {
    for (const auto& attr : each.attributes)
      if (attr.name == name) return &attr;
    return nullptr;
  }

  /// The last element's type counts, an absent one as the default.
  void pattern_type(joined_text& into, const xml::element& each, language fallback) {
    into.lang = fallback;
    const auto* type = attribute(each, "type");
    if (!type) return;
    language asked;
    bool allowed =
        parse_language(type->value, asked) && (asked != language::osmatch || fallback == language::osmatch);
    if (allowed)
      into.lang = asked;
    else
      warning(type->place, "unknown-pattern-type",
              "'" + each.name + "' has no type '" + type->value + "'; the default is used",
              fallback == language::osmatch ? "use osmatch, osregex or pcre2" : "use osregex or pcre2");
  }

  /// Only the first element of a name may have an offset.
  bool offset(const xml::element& each, bool first, offset_kind& into, severity unknown) {
    const auto* given = attribute(each, "offset");
    if (!given) return true;
    if (!first) {
      error(given->place, "offset", "only the first '" + each.name + "' can have an offset", "move it there");
      return false;
    }
    for (const auto& [name, kind] : offsets) {
      if (!equal_fold(name, given->value)) continue;
      into = kind;
      return true;
    }
    auto text = "unknown offset '" + given->value + "'";
    if (unknown == severity::error)
      error(given->place, "unknown-offset", text, "use one of " + names_in(offsets));
    else
      warning(given->place, "unknown-offset", text + "; none is used", "use one of " + names_in(offsets));
    return false;
  }

  void read_parent(const xml::element& each) {
    made_->is_child = true;
    join(parent_, each);
  }
  void read_program_name(const xml::element& each) {
    join(program_name_, each);
    pattern_type(program_name_, each, language::osmatch);
  }
  void read_prematch(const xml::element& each) {
    // The reference only logs an unknown offset here and starts with a decoder that does something else than
    // was written; a rule set is refused for it.
    offset(each, !prematch_.present, made_->prematch_offset, severity::error);
    join(prematch_, each);
    pattern_type(prematch_, each, language::osregex);
  }
  void read_regex(const xml::element& each) {
    offset(each, !regex_.present, made_->regex_offset, severity::warning);
    join(regex_, each);
    pattern_type(regex_, each, language::osregex);
  }

  // --- the last one counts

  void read_order(const xml::element& each) {
    has_order_ = true;
    made_->order.clear();
    auto names = split_names(each.text);
    if (names.size() > order_size_)
      error(each.place, "order", std::to_string(names.size()) + " names in 'order'",
            "at most " + std::to_string(order_size_) + " are allowed");
    for (auto& name : names) {
      if (name.empty()) {
        error(each.place, "order", "an empty name in 'order'", "remove the comma that is too many");
        return;
      }
      auto known = name == "user" ? static_field::dstuser : static_field_of(name);
      made_->order.push_back({known, known ? std::string() : std::move(name)});
    }
  }

  void read_plugin(const xml::element& each) {
    made_->plugin_offset = offset_kind::none;
    offset(each, true, made_->plugin_offset, severity::error);
    for (const auto& [name, kind] : plugins) {
      if (name != each.text) continue;
      made_->plugin = kind;
      return;
    }
    error(each.place, "plugin", "unknown plug-in '" + each.text + "'",
          "use one of " + names_in(plugins) + " (case counts)");
  }

  void read_json_null_field(const xml::element& each) {
    if (equal_fold(each.text, "discard") || equal_fold(each.text, "string"))
      made_->json_null_discard = equal_fold(each.text, "discard");
    else
      warning(each.place, "json-option", "'json_null_field' cannot be '" + each.text + "'; 'string' is used",
              "use string or discard");
  }
  void read_json_array_structure(const xml::element& each) {
    if (equal_fold(each.text, "csv") || equal_fold(each.text, "array"))
      made_->json_array_csv = equal_fold(each.text, "csv");
    else
      warning(each.place, "json-option",
              "'json_array_structure' cannot be '" + each.text + "'; 'array' is used", "use array or csv");
  }

  void read_use_own_name(const xml::element& each) {
    if (each.text == "true")
      made_->use_own_name = true;
    else
      note(each.place, "use-own-name", "'use_own_name' has no effect with '" + each.text + "'",
           "write exactly 'true'");
  }

  void read_type(const xml::element& each) {
    has_type_ = true;
    for (const auto& [name, type] : types) {
      if (name != each.text) continue;
      made_->type = type;
      return;
    }
    error(each.place, "unknown-type", "unknown type '" + each.text + "'", "use one of " + names_in(types));
  }

  // --- first time seen (4.9)

  void read_fts(const xml::element& each) {
    fts_place_ = each.place;
    for (const auto& name : split_names(each.text))
      fts_name(each, name);
  }

  void fts_name(const xml::element& each, const std::string& name) {
    static constexpr std::pair<std::string_view, static_field> known[] = {
        {"dstuser", static_field::dstuser},
        {"user", static_field::dstuser},
        {"srcuser", static_field::srcuser},
        {"srcip", static_field::srcip},
        {"dstip", static_field::dstip},
        {"id", static_field::id},
        {"data", static_field::data},
        {"extra_data", static_field::data}, // sic, 4.9
        {"system_name", static_field::system_name}};
    for (const auto& [word, field] : known) {
      if (word != name) continue;
      made_->has_fts = true;
      made_->fts_statics =
          static_cast<std::uint16_t>(made_->fts_statics | 1U << static_cast<unsigned>(field));
      return;
    }
    if (name == "name" || name == "location") {
      made_->has_fts = true;
      if (name == "location") made_->fts_location = true;
      return;
    }
    if (!has_order_) {
      note(each.place, "fts", "'" + name + "' in 'fts' is ignored: 'order' comes later",
           "put 'fts' behind 'order'");
      return;
    }
    auto leading = made_->order.begin();
    while (leading != made_->order.end() && !leading->field && !equal_fold(leading->name, name))
      ++leading;
    if (leading == made_->order.end() || leading->field) {
      error(each.place, "fts", "'" + name + "' in 'fts' is none of the dynamic names in front of 'order'",
            "dynamic names for 'fts' must stand in front of the static ones in 'order'");
      return;
    }
    made_->has_fts = true;
    fts_positions_.push_back(static_cast<std::size_t>(leading - made_->order.begin()));
  }

  void read_fts_comment(const xml::element& each) {
    join(fts_comment_, each);
    made_->fts_comment = fts_comment_.text;
  }
  void read_accumulate(const xml::element&) { made_->accumulate = true; }

  // --- what must fit together (4.2, steps 3 to 9)

  void checks() {
    made_->parent = parent_.text;
    if (!prematch_.present && !made_->is_child && !program_name_.present)
      error(from_.place, "no-selector", "nothing selects it", "add 'prematch', 'program_name' or 'parent'");
    if (regex_.present && !has_order_)
      error(regex_.place, "regex-without-order", "'regex' without 'order'",
            "add <order>NAME,...</order> for its groups");
    if (has_order_ && !regex_.present)
      error(from_.place, "order-without-regex", "'order' without 'regex'",
            "add a 'regex' with groups, or remove 'order'");
    if (made_->has_fts && !regex_.present)
      error(fts_place_, "fts-without-regex", "'fts' without 'regex'", "add a 'regex', or remove 'fts'");
    regex_offset_check();
    if (made_->prematch_offset != offset_kind::none
        && (made_->prematch_offset != offset_kind::after_parent || !made_->is_child))
      error(prematch_.place, "offset",
            "'prematch' can only have the offset after_parent, and only with a 'parent'",
            "remove the offset");
    if (made_->plugin_offset == offset_kind::after_parent && !made_->is_child)
      error(from_.place, "offset", "plug-in offset after_parent without a 'parent'", "remove the offset");
    if (made_->plugin_offset == offset_kind::after_prematch && !prematch_.present)
      error(from_.place, "offset", "plug-in offset after_prematch without a 'prematch'", "remove the offset");
    if (made_->plugin != plugin_kind::none && (regex_.present || has_order_))
      error(from_.place, "plugin-with-regex", "a plug-in together with 'regex' or 'order'",
            "use two decoders");
    if (!failed_) lint();
  }

  void regex_offset_check() {
    auto wrong = [&](const char* why) {
      error(regex_.place, "offset", std::string("'regex' offset ") + why,
            "remove the offset, or add what is missing");
    };
    if (made_->regex_offset == offset_kind::after_parent && !made_->is_child)
      wrong("after_parent without a 'parent'");
    if (made_->regex_offset == offset_kind::after_regex && !made_->is_child)
      wrong("after_regex without a 'parent'");
    if (made_->regex_offset == offset_kind::after_prematch && made_->is_child && !prematch_.present)
      wrong("after_prematch in a child without 'prematch'");
  }

  /// What loads and surely does not do what was meant.
  void lint() {
    if (!made_->is_child) return;
    if (program_name_.present)
      note(program_name_.place, "no-effect", "'program_name' has no effect in a child",
           "put it into the parent");
    if (prematch_.present) return;
    if (has_type_ || made_->use_own_name || made_->json_null_discard || made_->json_array_csv
        || made_->has_fts)
      note(from_.place, "no-effect",
           "a child without 'prematch' keeps the parent's name, type, fts and JSON options; its own have no "
           "effect",
           "add a 'prematch', or set them in the parent");
  }

  void compile() {
    compile_one(program_name_, false, made_->program_name);
    compile_one(prematch_, false, made_->prematch);
    compile_one(regex_, true, made_->regex);
    if (made_->regex && made_->regex->groups() > order_size_)
      error(regex_.place, "pattern", std::to_string(made_->regex->groups()) + " groups in 'regex'",
            "at most " + std::to_string(order_size_) + " are allowed");
    std::sort(fts_positions_.begin(), fts_positions_.end());
    fts_positions_.erase(std::unique(fts_positions_.begin(), fts_positions_.end()), fts_positions_.end());
    for (auto position : fts_positions_)
      if (position < made_->order.size()) made_->fts_dynamics.push_back(made_->order[position].name);
  }

  void compile_one(const joined_text& from, bool captures, std::optional<pattern>& into) {
    if (!from.present) return;
    auto compiled = pattern::compile(from.lang, from.text, {captures, false});
    if (compiled)
      into = std::move(*compiled);
    else
      error(from.place, "pattern", "the pattern does not compile: " + compiled.error(),
            "mend the pattern: " + from.text);
  }

  const xml::element& from_;
  std::size_t order_size_;
  diagnostics& out_;
  std::unique_ptr<decoder> made_;
  bool failed_ = false;
  joined_text parent_, program_name_, prematch_, regex_, fts_comment_;
  bool has_order_ = false;
  bool has_type_ = false;
  place fts_place_;
  std::vector<std::size_t> fts_positions_;
};

} // namespace

std::unique_ptr<decoder> read_decoder(const xml::element& from, std::size_t order_size, diagnostics& out,
                                      std::string& declared_name) {
  decoder_reader reader(from, order_size, out);
  auto made = reader.run();
  declared_name = made ? made->declared_name : reader.declared_name();
  return made;
}

std::vector<std::string> split_names(std::string_view text) {
  std::vector<std::string> names(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == ',')
      names.back().push_back(text[++i]);
    else if (text[i] == ',')
      names.emplace_back();
    else
      names.back().push_back(text[i]);
  }
  for (auto& name : names) {
    name.erase(0, std::min(name.find_first_not_of(' '), name.size()));
    name.resize(std::min(name.find(' '), name.size()));
  }
  return names;
}

} // namespace picket::engine
