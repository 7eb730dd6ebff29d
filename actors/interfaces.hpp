#pragma once

// Every actor of a node with its contract, in the order in which an event meets them. Read from top to bottom
// this is the architecture: who sends what to whom, what is answered, which errors, and what happens when
// either side dies, freezes or is full.

#include "actors/agent_session/interface.hpp" // one agent's connection
#include "actors/dispatcher/interface.hpp"    // dispatcher, decoder, rule, alert sink: from records to alerts
#include "actors/enroller/interface.hpp"      // port 1515: a line becomes an agent
#include "actors/examiner/interface.hpp"      // lines of which the analysis dies
#include "actors/health/interface.hpp"        // looks at all of it once a second
#include "actors/listener/interface.hpp"      // port 1514: sockets, who proves to be which agent
#include "actors/membership/interface.hpp"    // which nodes and which agents are there
#include "actors/overflow/interface.hpp"      // when room is short
#include "actors/registry/interface.hpp"      // agents, keys, groups: asked by everyone, changed by one
