#include "engine/load/ruleset.hpp"

#include "engine/load/window_plan.hpp"
#include "engine/render/fragments.hpp"
#include "engine/text/fold.hpp"
#include "engine/text/hash.hpp"
#include "engine/xml/reader.hpp"

#include <algorithm>

namespace picket::engine {

namespace {

std::string_view base_name(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string hex(std::uint64_t value) {
  std::string text(16, '0');
  for (std::size_t i = 16; i-- > 0; value >>= 4)
    text[i] = "0123456789abcdef"[value & 15];
  return text;
}

std::string digest_of(const std::vector<const ruleset_file*>& files) {
  std::uint64_t first = 0;
  std::uint64_t second = 0;
  for (const auto* file : files) {
    for (const std::string_view text : {std::string_view{file->name}, std::string_view{file->bytes}}) {
      first = keyed_hash(text, {first, static_cast<std::uint64_t>(file->kind)});
      second = keyed_hash(text, {second, ~first});
    }
  }
  return hex(first) + hex(second);
}

class compiler {
public:
  explicit compiler(const compile_options& options)
      : made_(std::make_shared<ruleset>())
      , decoders_(options.rules.order_size)
      , tree_(out_, options.places_max) {
    made_->options = options;
  }

  compiled run(std::span<const ruleset_file> files) {
    const auto ordered = in_order(files);
    made_->digest = digest_of(ordered);
    made_->summary.files = ordered.size();
    read_techniques(ordered);
    read_decoders(ordered);
    read_lists(ordered);
    read_rules(ordered);
    finish();
    compiled result;
    if (!has_errors(out_)) result.ruleset = std::move(made_);
    result.diagnostics = std::move(out_);
    return result;
  }

private:
  static std::vector<const ruleset_file*> in_order(std::span<const ruleset_file> files) {
    std::vector<const ruleset_file*> ordered;
    for (const auto& file : files)
      ordered.push_back(&file);
    std::stable_sort(ordered.begin(), ordered.end(), [](const auto* a, const auto* b) {
      if (a->kind != b->kind) return a->kind < b->kind;
      if (a->kind == file_kind::list || a->kind == file_kind::technique) return false;
      return base_name(a->name) < base_name(b->name);
    });
    return ordered;
  }

  void error(engine::place where, std::string code, std::string text, std::string hint) {
    diagnostic d;
    d.place = std::move(where);
    d.code = std::move(code);
    d.text = std::move(text);
    d.hint = std::move(hint);
    out_.push_back(std::move(d));
  }

  /// The elements of a file with variables put in, or nothing after an error.
  std::optional<std::vector<xml::element>> elements_of(const ruleset_file& file, bool& no_elements) {
    auto roots = xml::read(file.name, file.bytes);
    if (!roots) {
      out_.push_back(roots.error());
      return std::nullopt;
    }
    no_elements = roots->empty();
    if (auto done = xml::substitute_variables(*roots); !done) {
      out_.push_back(done.error());
      return std::nullopt;
    }
    return std::move(*roots);
  }

  void read_techniques(const std::vector<const ruleset_file*>& files) {
    for (const auto* file : files)
      if (file->kind == file_kind::technique) techniques_.add_file(file->name, file->bytes, out_);
  }

  void read_decoders(const std::vector<const ruleset_file*>& files) {
    for (const auto* file : files) {
      if (file->kind != file_kind::decoder) continue;
      bool no_elements = false;
      const auto roots = elements_of(*file, no_elements);
      if (!roots) continue;
      if (no_elements && base_name(file->name) != "local_decoder.xml") {
        error(whole(*file), "no-elements", "the decoder file has no elements",
              "remove the file or add a decoder");
        continue;
      }
      decoders_.add_file(file->name, *roots);
    }
    made_->decoders = decoders_.finish();
    auto found = decoders_.take_diagnostics();
    std::move(found.begin(), found.end(), std::back_inserter(out_));
    made_->summary.decoders = made_->decoders.all.size();
  }

  void read_lists(const std::vector<const ruleset_file*>& files) {
    for (const auto* file : files) {
      if (file->kind != file_kind::list) continue;
      auto list = std::make_unique<cdb_list>(cdb_list::parse(file->name, file->bytes, out_));
      // A name is cut at its first ".cdb" (decoders.md 5.1).
      made_->lists.insert_or_assign(file->name.substr(0, file->name.find(".cdb")), std::move(list));
    }
    made_->summary.lists = made_->lists.size();
  }

  void read_rules(const std::vector<const ruleset_file*>& files) {
    for (const auto* file : files) {
      if (file->kind != file_kind::rule || file->bytes.empty()) continue;
      bool no_elements = false;
      const auto roots = elements_of(*file, no_elements);
      if (!roots) continue;
      if (no_elements)
        error(whole(*file), "no-elements", "the rule file is not empty and has no elements",
              "remove the file or add a <group> with rules");
      for (const auto& root : *roots)
        read_group(root);
    }
  }

  void read_group(const xml::element& group) {
    if (!equal_fold(group.name, "group")) {
      error(group.place, "unknown-element", "a rule file has no root element '" + group.name + "'",
            "put rules into <group name=\"…,\">");
      return;
    }
    if (group.attributes.size() != 1 || !equal_fold(group.attributes[0].name, "name")) {
      error(group.place, "bad-group", "a group has exactly one attribute, name", "write <group name=\"…,\">");
      return;
    }
    if (group.children.empty()) {
      error(group.place, "empty-group", "the group has no rules", "remove it or add a rule");
      return;
    }
    for (const auto& child : group.children) {
      if (!equal_fold(child.name, "rule")) {
        error(child.place, "unknown-element", "a group has no element '" + child.name + "'",
              "only <rule> may stand here");
        continue;
      }
      ++made_->summary.rules_read;
      auto& m = *made_;
      rule_environment env{m.decoders, m.lists, techniques_,     m.options.rules,
                           m.slots,    out_,    m.summary.counts};
      auto draft = rule_reader(env, group.attributes[0].value, child).read();
      if (draft) tree_.add(std::move(*draft));
    }
  }

  void finish() {
    auto& m = *made_;
    m.tree = tree_.finish();
    if (m.slots.overflow())
      error({}, "too-many-field-names", "the rules name more than 65,535 dynamic fields", "use fewer names");
    m.summary.rules = m.tree.rules.size();
    m.summary.overwrites = tree_.overwrites();
    m.summary.rules_dropped = m.summary.rules_read - m.summary.rules - m.summary.overwrites;
    m.summary.places = m.tree.places.size();
    for (auto& each : m.tree.rules) {
      each->fragments = make_fragments(*each);
      m.summary.composites += each->composite() ? 1 : 0;
    }
    plan_windows(m);
  }

  static engine::place whole(const ruleset_file& file) {
    engine::place where;
    where.file = file.name;
    where.line = 1;
    where.column = 1;
    return where;
  }

  diagnostics out_;
  std::shared_ptr<ruleset> made_;
  technique_table techniques_;
  decoder_loader decoders_;
  rule_tree_builder tree_;
};

} // namespace

std::uint16_t slot_names::number_of(std::string_view name) {
  auto lower = folded(name);
  if (const auto it = numbers_.find(lower); it != numbers_.end()) return it->second;
  if (names_.size() >= 0xFFFF) {
    overflow_ = true;
    return 0xFFFE;
  }
  const auto number = static_cast<std::uint16_t>(names_.size());
  names_.push_back(lower);
  numbers_.emplace(std::move(lower), number);
  return number;
}

std::string name_of(const operand& value, const slot_names& slots) {
  switch (value.kind) {
  case operand_kind::log:
    return "log";
  case operand_kind::program_name:
    return "program_name";
  case operand_kind::hostname:
    return "hostname";
  case operand_kind::location:
    return "location";
  case operand_kind::fixed:
    return std::string{name_of(value.field)};
  case operand_kind::user:
  case operand_kind::list_user:
    return "user";
  case operand_kind::dynamic:
    return "field " + std::string{slots.name_of(value.slot)};
  case operand_kind::geo:
    return "geoip";
  }
  return {};
}

compiled compile(std::span<const ruleset_file> files, const compile_options& options) {
  return compiler(options).run(files);
}

} // namespace picket::engine
