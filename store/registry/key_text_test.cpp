#include "store/registry/key_text.hpp"

#include <gtest/gtest.h>

namespace picket::store {
namespace {

TEST(KeyText, SpellsEveryTableAndReadsItBack) {
  struct spelling {
    registry_table table;
    std::string key;
    std::string text;
  };
  for (const auto& [table, key, text] :
       {spelling{registry_table::agents, agent_key(10), "agent/0000000a"},
        spelling{registry_table::removed, agent_key(0xdeadbeef), "removed/deadbeef"},
        spelling{registry_table::groups, "web", "group/web"}, spelling{registry_table::head, "", "head"},
        spelling{registry_table::log, key_of(7), "log/0000000000000007"},
        spelling{registry_table::other, "set/agents.max", "set/agents.max"}}) {
    EXPECT_EQ(key_text(table, key), text);
    EXPECT_EQ(parse_key_text(text), (std::pair{table, key}));
  }
}

TEST(KeyText, WhatIsNotExactlyASpellingIsKeptAsItIs) {
  for (std::string text : {"", "agent/", "agent/0000000A", "agent/000000000a", "agent/0000000g", "head/",
                           "group/", "log/0000000a", "group", "view"}) {
    auto [table, key] = parse_key_text(text);
    EXPECT_EQ(table, registry_table::other) << text;
    EXPECT_EQ(key_text(table, key), text);
  }
}

} // namespace
} // namespace picket::store
