package main

import (
	"fmt"
	"io"
	"math/big"
	"math/rand"

	"k8s.io/apimachinery/pkg/api/resource"
)

// quantities prints a table of texts and what Kubernetes' own parser makes of each: an exact fraction, or "-" for what is no
// quantity. The texts are made at random from a fixed seed, and some by hand.
func quantities(out io.Writer) error {
	random := rand.New(rand.NewSource(2))
	texts := []string{"", "-", "+", ".", "1.", ".5", "+1", "-0", "0.1n", "-0.1n", "1.5n", "0.0000000001", "1e-10", "1E3", "1e3", "1e+3", "1E", "1Ei",
		"9223372036854775807", "9223372036854775808", "18446744073709551616", "8Ei", "7Ei", "16Ei", "10000000000E", "1e30", "-1e30", "1 Gi", " 1",
		"1Kib", "1K", "1ki", "1mi", "0x10", "1_000", "1,5", "１", "NaN", "Inf", "--1", "1e1.5", "00012", "0012.500", "1u", "1µ", "1n", "999999999n"}
	suffixes := []string{"", "", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "e3", "E2", "e-3", "e0", "K", "i", "g"}
	digits := func(most int) string {
		text := ""
		for range random.Intn(most + 1) {
			text += string(rune('0' + random.Intn(10)))
		}
		return text
	}
	for range 1500 {
		text := ""
		switch random.Intn(6) {
		case 0:
			text = "-"
		case 1:
			text = "+"
		}
		text += digits(6)
		if random.Intn(2) == 0 {
			text += "." + digits(4)
		}
		texts = append(texts, text+suffixes[random.Intn(len(suffixes))])
	}
	for _, text := range texts {
		value := "-"
		if quantity, err := resource.ParseQuantity(text); err == nil {
			exact, ok := new(big.Rat).SetString(quantity.AsDec().String())
			if !ok {
				return fmt.Errorf("%q: %s is no number", text, quantity.AsDec())
			}
			value = exact.RatString()
		}
		if _, err := fmt.Fprintf(out, "%s\t%s\n", text, value); err != nil {
			return err
		}
	}
	return nil
}
