package main

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
)

// What the dice may be.
const (
	maxDice  = 20
	maxSides = 1000
)

var command = regexp.MustCompile(`^\s*!roll\s+(\d{0,3})[dD](\d{1,4})\s*$`)

// roll gives what the dice show, if text asks for them. They fall as the id has it:
// the same again for the same message, since an answer that is given twice must be
// the same.
func roll(text, id string) (string, bool) {
	found := command.FindStringSubmatch(text)
	if found == nil {
		return "", false
	}
	dice, _ := strconv.Atoi(found[1])
	if found[1] == "" {
		dice = 1
	}
	sides, _ := strconv.Atoi(found[2])
	what := fmt.Sprintf("%dd%d: ", dice, sides)
	if dice < 1 || dice > maxDice || sides < 2 || sides > maxSides {
		return what + fmt.Sprintf("I have %d dice, of 2 to %d sides", maxDice, maxSides), true
	}
	random := rand.New(rand.NewChaCha8(sha256.Sum256([]byte(id))))
	sum, shown := 0, make([]string, dice)
	for i := range shown {
		n := 1 + random.IntN(sides)
		sum, shown[i] = sum+n, strconv.Itoa(n)
	}
	if dice == 1 {
		return fmt.Sprintf("%s<b>%d</b>", what, sum), true
	}
	return fmt.Sprintf("%s%s = <b>%d</b>", what, strings.Join(shown, " + "), sum), true
}
