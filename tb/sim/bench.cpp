// SPDX-License-Identifier: Apache-2.0
// The main program of a bench in Verilator: drives its clock, which takes less time than delays do.

#include "Vtop.h"
#include <verilated.h>

int main(int argc, char** argv) {
    constexpr int half_period = 5000;  // in steps of 1 ps: a bench has `timescale 1ns / 1ps
    VerilatedContext context;
    context.commandArgs(argc, argv);
#if VM_TRACE
    context.traceEverOn(true);
#endif
    Vtop top{&context, ""};
    top.clk = 0;
    top.eval();
    while (!context.gotFinish()) {
        context.timeInc(half_period);
        top.clk = !top.clk;
        top.eval();
    }
    top.final();
    return 0;
}
