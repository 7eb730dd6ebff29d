#pragma once

#include "engine/load/rule_reader.hpp"
#include "engine/load/rules.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace picket::engine {

/// One position of a rule in the tree. Children of a place stand side by side in `rule_tree::places`.
struct rule_place {
  std::uint32_t rule = 0; ///< index in `rules`
  std::uint32_t first_child = 0;
  std::uint32_t children = 0;
};

/// A list of remembered events that composites read (rules.md 4.2).
struct event_list {
  look_back_kind kind = look_back_kind::all;
  std::uint32_t watched_id = 0;                                 ///< kind `id`
  std::vector<std::pair<std::uint32_t, std::uint32_t>> members; ///< kind `group`: (rule id, times), sorted
};

/// The tree of rules (rules.md 2), places in breadth-first order, the roots first. Immutable.
struct rule_tree {
  std::vector<std::unique_ptr<rule>> rules; ///< in the order in which they were defined
  std::vector<rule_place> places;
  std::uint32_t roots = 0;
  std::vector<event_list> lists;
  std::unordered_map<std::uint32_t, std::uint32_t> index_by_id;

  const rule* find(std::uint32_t id) const {
    const auto it = index_by_id.find(id);
    return it == index_by_id.end() ? nullptr : rules[it->second].get();
  }
};

/// Deeper trees are refused: the walk calls itself once a level. The stock rules have 12.
inline constexpr std::uint32_t tree_depth_max = 200;

/// Inserts rules one after the other, each below those that exist at that moment (rules.md 2.1).
class rule_tree_builder {
public:
  rule_tree_builder(diagnostics& out, std::size_t places_max);

  /// Places, drops or overwrites. Errors: "too-many-places", "tree-too-deep".
  void add(rule_draft draft);
  /// After the last rule.
  rule_tree finish();
  std::size_t overwrites() const noexcept { return overwrites_; }

private:
  struct node {
    std::uint32_t rule = 0;
    std::uint32_t parent = 0;
    std::uint32_t depth = 0;
    std::uint32_t mark = 0; ///< of the search that found a wanted rule among the children
    std::vector<std::uint32_t> children;
  };
  /// What of an earlier definition an overwrite may not change.
  struct placement {
    std::optional<std::string> if_sid, if_level, if_group, if_matched_sid, if_matched_group;
  };
  struct wanted_ids {
    std::vector<std::uint32_t> ids;
    bool root = false; ///< "id 0": the root of the category as well
    bool well_formed = false;
  };

  void report(severity how, const rule& about, const engine::place& where, std::string code, std::string text,
              std::string hint);
  void drop(const rule& about, const engine::place& where, std::string code, std::string text,
            std::string hint);

  static wanted_ids parse_if_sid(std::string_view text);
  bool exists(std::uint32_t id) const { return rules_by_id_.count(id) > 0; }
  std::vector<std::uint32_t> places_of_id(std::uint32_t id);
  bool reachable(std::uint32_t place, std::uint32_t id, std::uint32_t mark) const;
  std::optional<std::uint32_t> root_of(event_type category) const;
  std::string suggest_id(std::uint32_t id) const;

  bool parents_by_sid(const rule_draft& draft, std::vector<std::uint32_t>& parents);
  bool parents_by_level(const rule_draft& draft, std::vector<std::uint32_t>& parents);
  bool parents_by_group(const rule_draft& draft, std::vector<std::uint32_t>& parents);
  bool parents_by_category(const rule_draft& draft, std::vector<std::uint32_t>& parents);
  bool find_parents(const rule_draft& draft, std::vector<std::uint32_t>& parents);
  bool check_matched_sid(const rule_draft& draft);

  void overwrite(rule_draft& draft);
  void insert(std::uint32_t rule_index, const std::vector<std::uint32_t>& parents);
  void insert_below(std::uint32_t rule_index, std::uint32_t parent);
  void connect_list(const rule_draft& draft, std::uint32_t rule_index);
  std::uint32_t id_list_of(rule& watched);

  diagnostics& out_;
  std::size_t places_max_;
  bool full_ = false;
  std::size_t overwrites_ = 0;
  std::uint32_t searches_ = 0;
  std::vector<node> nodes_; ///< the first stands above the roots
  std::vector<std::unique_ptr<rule>> rules_;
  std::vector<placement> placements_;              ///< by rule index
  std::vector<std::string> folded_groups_;         ///< by rule index
  std::vector<std::vector<std::uint32_t>> places_; ///< by rule index
  std::unordered_map<std::uint32_t, std::vector<std::uint32_t>>
      rules_by_id_; ///< more than one only for roots
  std::vector<event_list> lists_;
};

} // namespace picket::engine
