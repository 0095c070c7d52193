package selector

import "github.com/tidegate/tidegate/core/message"

// factor is a value with any number of signs.
func (p *parser) factor() (node, error) {
	t := p.peek()
	if t.kind != symbol || t.s != "-" && t.s != "+" {
		return p.primary()
	}
	p.at++
	if err := p.deeper(); err != nil {
		return nil, err
	}
	at := p.peek().at
	if n := p.peek(); t.s == "-" && n.kind == exact && n.min {
		p.at++
		p.depth--
		return &literal{message.Value{Kind: message.Int, I: n.i}}, nil
	}
	n, err := p.factor()
	if err != nil {
		return nil, err
	}
	p.depth--
	if err := want(n, numeric, at, "the operand of "+t.s); err != nil {
		return nil, err
	}
	l, isLiteral := n.(*literal)
	switch {
	case isLiteral && t.s == "-":
		return &literal{minus(l.v)}, nil
	case isLiteral:
		return l, nil
	case t.s == "-":
		return &sign{n}, nil
	}
	return &plus{n}, nil
}

func (p *parser) primary() (node, error) {
	t := p.peek()
	switch t.kind {
	case symbol:
		if t.s == "(" {
			return p.parentheses()
		}
	case identifier:
		p.at++
		return &name{t.s}, nil
	case text:
		p.at++
		return &literal{message.Value{Kind: message.String, Str: t.s}}, nil
	case exact:
		if t.min {
			return nil, errorAt(t.at, "%s does not fit into 64 bits", shorten(t.s))
		}
		p.at++
		return &literal{message.Value{Kind: message.Int, I: t.i}}, nil
	case approximate:
		p.at++
		return &literal{message.Value{Kind: message.Double, F: t.f}}, nil
	case keyword:
		if t.s == "TRUE" || t.s == "FALSE" {
			p.at++
			return &literal{truth(t.s == "TRUE")}, nil
		}
	case end:
	}
	return nil, p.unexpected("an identifier, a literal or (")
}

func (p *parser) parentheses() (node, error) {
	p.at++
	if err := p.deeper(); err != nil {
		return nil, err
	}
	n, err := p.or()
	if err != nil {
		return nil, err
	}
	if !p.is(symbol, ")") {
		return nil, p.unexpected(")")
	}
	p.depth--
	return n, nil
}
