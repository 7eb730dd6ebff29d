#include "engine/load/decoders.hpp"

#include "engine/load/decoder_element.hpp"
#include "engine/text/fold.hpp"

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace picket::engine {

std::optional<std::uint32_t> decoder_tree::identity_of(std::string_view name) const {
  auto found = identities.find(std::string(name));
  if (found == identities.end()) return std::nullopt;
  return found->second;
}

namespace {

/// This file may be without any element: it is where users begin.
bool may_be_empty(std::string_view file) {
  return file == "etc/decoders/local_decoder.xml" || file == "decoders/local_decoder.xml";
}

} // namespace

/// Builds the tree of decoders.md 4.3 as decoders come.
struct decoder_loader::impl {
  std::size_t order_size;
  decoder_tree tree;
  /// First-level decoders by declared name: list and position.
  std::unordered_map<std::string, std::vector<std::pair<bool, std::size_t>>> first_level;
  std::unordered_set<std::string>
      refused; ///< names of decoders with errors: what hangs on them is not reported again
  diagnostics found;

  void error(const place& where, const char* code, std::string text, std::string hint) {
    found.push_back({severity::error, where, -1, code, std::move(text), std::move(hint)});
  }
  void note(const decoder& about, const char* code, const std::string& text, std::string hint) {
    found.push_back({severity::note, about.place, -1, code, "decoder '" + about.declared_name + "': " + text,
                     std::move(hint)});
  }
  decoder_tree::entry& entry_at(std::pair<bool, std::size_t> at) {
    return at.first ? tree.with_program[at.second] : tree.without_program[at.second];
  }

  void add(std::unique_ptr<decoder> made) {
    decoder& fresh = *made;
    tree.all.push_back(std::move(made));
    if (fresh.is_child) {
      if (!add_child(fresh)) refused.insert(fresh.declared_name);
      return;
    }
    auto& list = fresh.program_name ? tree.with_program : tree.without_program;
    first_level[fresh.declared_name].emplace_back(fresh.program_name.has_value(), list.size());
    list.push_back({&fresh, {}});
  }

  bool add_child(decoder& child) {
    auto parents = first_level.find(child.parent);
    if (parents == first_level.end()) {
      if (!refused.count(child.parent))
        error(child.place, "parent",
              "decoder '" + child.declared_name + "': no first-level decoder '" + child.parent + "'",
              parent_hint(child.parent));
      return false;
    }
    // Program-name decoders are searched first.
    std::stable_sort(parents->second.begin(), parents->second.end(),
                     [](const auto& a, const auto& b) { return a.first && !b.first; });
    for (auto at : parents->second) {
      if (!link(entry_at(at).children, child)) return false;
      entry_at(at).children.push_back(&child);
    }
    return true;
  }

  std::string parent_hint(const std::string& name) const {
    bool is_child = std::any_of(tree.all.begin(), tree.all.end(), [&](const auto& each) {
      return each->is_child && each->declared_name == name;
    });
    if (is_child) return "'" + name + "' is a child itself; only two levels are possible";
    std::vector<std::string_view> names;
    for (const auto& [each, places] : first_level)
      names.push_back(each);
    std::sort(names.begin(), names.end());
    auto near = nearest(name, names.data(), names.size());
    std::string hint = "a parent must be defined earlier, in this file or one that sorts before it";
    return near.empty() ? hint : "did you mean '" + std::string(near) + "'? " + hint;
  }

  /// Siblings of one name are one chain.
  bool link(const std::vector<const decoder*>& siblings, decoder& child) {
    auto fail = [&](const char* code, const std::string& text, std::string hint) {
      error(child.place, code, "decoder '" + child.declared_name + "': " + text, std::move(hint));
      return false;
    };
    bool has_start = false; // something whose end `after_regex` can mean
    for (const decoder* each : siblings) {
      if (each->declared_name != child.declared_name) continue;
      if (child.prematch)
        return fail("chain", "only the first decoder of a name below a parent can have a 'prematch'",
                    "remove it, or give this decoder another name");
      if (child.has_fts)
        return fail("chain", "only the first decoder of a name below a parent can have 'fts'",
                    "move it there");
      auto useful = [](const decoder& link) { return link.regex || link.plugin != plugin_kind::none; };
      if (!useful(*each) || !useful(child))
        return fail("chain", "decoders of one name below a parent need a 'regex' or a plug-in each",
                    "add it, or give this decoder another name");
      has_start = has_start || each->prematch || each->regex;
      mutable_of(*each).more = true;
    }
    if (child.regex_offset == offset_kind::after_regex && !has_start)
      return fail("offset", "offset after_regex in the first decoder of its name",
                  "use after_parent or after_prematch");
    return true;
  }

  /// The tree hands out const pointers; while it grows, its decoders are ours.
  decoder& mutable_of(const decoder& each) { return const_cast<decoder&>(each); }

  void rename() {
    for (auto& each : tree.all) {
      if (each->is_child && !each->use_own_name) each->name = each->parent;
      each->identity = number(each->name);
    }
    for (auto name : built_in_decoders)
      number(std::string(name));
  }
  std::uint32_t number(const std::string& name) {
    return tree.identities.try_emplace(name, static_cast<std::uint32_t>(tree.identities.size()))
        .first->second;
  }

  /// Findings about the tree as a whole: what loads and surely does not do what was meant (decoders.md 8.8).
  void lint(const decoder_tree::entry& entry) {
    if (entry.children.empty()) return;
    if (entry.self->regex || entry.self->plugin != plugin_kind::none)
      note(*entry.self, "dead-regex", "has children, so its own 'regex' or plug-in is never run",
           "move it into a child");
    for (std::size_t i = 0; i < entry.children.size(); ++i) {
      const decoder& child = *entry.children[i];
      bool chain_goes_on = child.more && i + 1 < entry.children.size();
      if (chain_goes_on && entry.children[i + 1]->declared_name != child.declared_name)
        note(child, "broken-chain", "its chain runs on into '" + entry.children[i + 1]->declared_name + "'",
             "put decoders of one name next to each other");
      if (child.prematch || chain_goes_on) continue;
      if (i + 1 < entry.children.size() && starts_alone(entry.children, i)) {
        note(*entry.children[i + 1], "unreachable",
             "never reached: '" + child.declared_name + "' in front has no 'prematch'",
             "put it in front, or add a 'prematch' there");
        return;
      }
    }
  }

  /// Whether the chain that ends at `last` begins without a prematch.
  static bool starts_alone(const std::vector<const decoder*>& siblings, std::size_t last) {
    while (last > 0 && siblings[last - 1]->more)
      --last;
    return !siblings[last]->prematch;
  }
};

decoder_loader::decoder_loader(std::size_t order_size)
    : impl_(std::make_unique<impl>()) {
  impl_->order_size = order_size;
}
decoder_loader::~decoder_loader() = default;

void decoder_loader::add_file(std::string_view file, const std::vector<xml::element>& roots) {
  if (roots.empty() && !may_be_empty(file))
    impl_->error({std::string(file), 1, 1}, "empty-file", "a decoder file without any element",
                 "remove the file, or add a decoder");
  for (const auto& root : roots) {
    if (!equal_fold(root.name, "decoder")) {
      impl_->error(root.place, "unknown-element", "unknown element '" + root.name + "' in a decoder file",
                   equal_fold(root.name, "group") ? "rules go into rules/"
                                                  : "only 'decoder' and 'var' can stand here");
      continue;
    }
    std::string name;
    auto made = read_decoder(root, impl_->order_size, impl_->found, name);
    if (made)
      impl_->add(std::move(made));
    else
      impl_->refused.insert(std::move(name));
  }
}

decoder_tree decoder_loader::finish() {
  auto& work = *impl_;
  if (!has_errors(work.found)) {
    for (bool program : {true, false}) {
      if (!(program ? work.tree.with_program : work.tree.without_program).empty()) continue;
      work.error({"decoders", 0, 0}, "no-decoders",
                 program ? "no decoder has a 'program_name'"
                         : "no first-level decoder is without 'program_name'",
                 "a rule set needs at least one decoder of either kind");
    }
  }
  work.rename();
  for (const auto* list : {&work.tree.with_program, &work.tree.without_program})
    for (const auto& entry : *list)
      work.lint(entry);
  return std::exchange(work.tree, {});
}

diagnostics decoder_loader::take_diagnostics() { return std::exchange(impl_->found, {}); }

} // namespace picket::engine
